import { Fault } from '../kernel/fault.js';
import { type AttributePath, attributePath } from './attribute-path.js';
import { type Filter, type FilterValue, type Operator, OPERATORS } from './filter.js';
import { type Token, tokensOf } from './filter-tokens.js';

/** What one filter may cost. */
export const LONGEST_FILTER = 8192;
export const MOST_TERMS = 100;
export const DEEPEST_FILTER = 16;

const LITERALS: Readonly<Record<string, FilterValue>> = { true: true, false: false, null: null };

/**
 * Reads a filter; `and` binds closer than `or`, and operators have no case. Throws `scim.filter` for what the grammar has
 * not, and for more than is worked on here. RFC 7644 section 3.4.2.2
 */
export function parseFilter(text: string): Filter {
  if (text.length > LONGEST_FILTER)
    throw new Fault('scim.filter', { reason: `longer than ${LONGEST_FILTER} characters` });
  return new FilterParser(text).whole();
}

class FilterParser {
  private readonly tokens: readonly Token[];
  private next = 0;
  private terms = 0;
  private depth = 0;
  private inElement = false;

  constructor(private readonly text: string) {
    this.tokens = tokensOf(text);
  }

  whole(): Filter {
    const filter = this.chain('or');
    if (this.peek()) throw this.wrong('"and", "or" or the end of the filter is missing');
    return filter;
  }

  private chain(kind: 'and' | 'or'): Filter {
    const part = () => (kind === 'or' ? this.chain('and') : this.single());
    const parts = [part()];
    while (this.takeWord(kind)) parts.push(part());
    return parts.length === 1 ? parts[0]! : { kind, parts };
  }

  private single(): Filter {
    if (this.peek()?.kind === '(') return this.enclosed('(', ')');
    if (this.isWord('not') && this.tokens[this.next + 1]?.kind === '(') {
      this.next++;
      return { kind: 'not', of: this.enclosed('(', ')') };
    }
    return this.term();
  }

  private enclosed(opening: '(' | '[', closing: ')' | ']'): Filter {
    this.takeSign(opening);
    if (++this.depth > DEEPEST_FILTER) throw this.wrong(`nested deeper than ${DEEPEST_FILTER}`);
    const filter = this.chain('or');
    this.depth--;
    this.takeSign(closing);
    return filter;
  }

  private term(): Filter {
    if (++this.terms > MOST_TERMS) throw this.wrong(`more than ${MOST_TERMS} terms`);
    const path = this.path();
    if (this.peek()?.kind === '[') return this.element(path);
    if (this.takeWord('pr')) return { kind: 'present', path };
    const operator = this.operator();
    return { kind: 'compare', path, operator, value: this.value() };
  }

  private element(path: AttributePath): Filter {
    if (this.inElement) throw this.wrong('no brackets within brackets');
    this.inElement = true;
    const of = this.enclosed('[', ']');
    this.inElement = false;
    return { kind: 'element', path, of };
  }

  private path(): AttributePath {
    const token = this.peek();
    const path = token?.kind === 'word' ? attributePath(token.text) : undefined;
    if (!path) throw this.wrong('the name of an attribute is missing');
    this.next++;
    return path;
  }

  private operator(): Operator {
    const found = OPERATORS.find((operator) => this.takeWord(operator));
    if (!found) throw this.wrong('an operator is missing');
    return found;
  }

  private value(): FilterValue {
    const token = this.peek();
    const literal = token?.kind === 'word' && Object.hasOwn(LITERALS, token.text);
    if (token?.kind !== 'value' && !literal) throw this.wrong('a value is missing');
    this.next++;
    return token.kind === 'value' ? token.value : LITERALS[(token as { text: string }).text]!;
  }

  private peek(): Token | undefined {
    return this.tokens[this.next];
  }

  private isWord(word: string): boolean {
    const token = this.peek();
    return token?.kind === 'word' && token.text.toLowerCase() === word;
  }

  private takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.next++;
    return true;
  }

  private takeSign(sign: '(' | ')' | '[' | ']'): void {
    if (this.peek()?.kind !== sign) throw this.wrong(`"${sign}" is missing`);
    this.next++;
  }

  private wrong(reason: string): Fault {
    return new Fault('scim.filter', { reason, at: this.peek()?.at ?? this.text.length });
  }
}

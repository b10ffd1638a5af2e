import { Fault } from '../kernel/fault.js';

/** `at` is where it begins in the filter. */
export type Token = { readonly at: number } & (
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'value'; readonly value: string | number }
  | { readonly kind: '(' | ')' | '[' | ']' }
);

const BLANK = /[ \t]*/y;
const WORD = /[A-Za-z$][A-Za-z0-9$_:.-]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.])/y;
const SIGNS = ['(', ')', '[', ']'] as const;

/** Throws `scim.filter` at what is no token; strings and numbers are those of JSON. RFC 7644 section 3.4.2.2 */
export function tokensOf(filter: string): Token[] {
  const tokens: Token[] = [];
  let at = skip(filter, 0);
  while (at < filter.length) {
    const [token, length] = tokenAt(filter, at);
    tokens.push(token);
    at = skip(filter, at + length);
  }
  return tokens;
}

function tokenAt(filter: string, at: number): [Token, number] {
  const sign = SIGNS.find((one) => filter[at] === one);
  if (sign) return [{ kind: sign, at }, 1];
  const text = take(STRING, filter, at) ?? take(NUMBER, filter, at);
  if (text !== undefined) return [{ kind: 'value', value: JSON.parse(text) as string | number, at }, text.length];
  const word = take(WORD, filter, at);
  if (word !== undefined) return [{ kind: 'word', text: word, at }, word.length];
  throw new Fault('scim.filter', { reason: 'neither a name nor a value', at });
}

const skip = (filter: string, at: number): number => at + take(BLANK, filter, at)!.length;

function take(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

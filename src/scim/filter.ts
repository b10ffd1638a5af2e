import { type AttributePath, printPath } from './attribute-path.js';

export const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;
export type Operator = (typeof OPERATORS)[number];

export type FilterValue = string | number | boolean | null;

export interface Comparison {
  readonly kind: 'compare';
  readonly path: AttributePath;
  readonly operator: Operator;
  readonly value: FilterValue;
}

/** A filter as the grammar of RFC 7644 section 3.4.2.2 has it. `and` and `or` have two parts or more. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter }
  | { readonly kind: 'present'; readonly path: AttributePath }
  /** `members[value eq "x"]`: some value of the attribute matches as a whole. */
  | { readonly kind: 'element'; readonly path: AttributePath; readonly of: Filter }
  | Comparison;

/** All paths that a filter names, those within brackets too. */
export function pathsOf(filter: Filter): AttributePath[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.parts.flatMap(pathsOf);
    case 'not':
      return pathsOf(filter.of);
    case 'element':
      return [filter.path, ...pathsOf(filter.of)];
    case 'present':
    case 'compare':
      return [filter.path];
    default:
      return filter satisfies never;
  }
}

/** The filter as text that parses to the same filter. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const parts = filter.parts.map((part) =>
        needsParentheses(filter.kind, part) ? `(${printFilter(part)})` : printFilter(part),
      );
      return parts.join(` ${filter.kind} `);
    }
    case 'not':
      return `not (${printFilter(filter.of)})`;
    case 'present':
      return `${printPath(filter.path)} pr`;
    case 'element':
      return `${printPath(filter.path)}[${printFilter(filter.of)}]`;
    case 'compare':
      return `${printPath(filter.path)} ${filter.operator} ${JSON.stringify(filter.value)}`;
    default:
      return filter satisfies never;
  }
}

const needsParentheses = (within: 'and' | 'or', { kind }: Filter) =>
  kind === 'or' || (kind === 'and' && within === 'and');

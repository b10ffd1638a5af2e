import { Fault } from '../kernel/fault.js';
import { type AttributePath, printPath } from './attribute-path.js';
import type { Comparison, Filter, FilterValue, Operator } from './filter.js';
import {
  type Attribute,
  type Json,
  type JsonObject,
  named,
  resolve,
  type ResourceType,
  valuesIn,
  valuesOf,
} from './schema.js';

type Test<T> = (of: T) => boolean;

/** How a path is looked up: in a resource, or, within brackets, in one value of an attribute. */
type Scope<T> = (
  path: AttributePath,
) => { readonly attribute: Attribute; readonly values: (of: T) => readonly Json[] } | undefined;

/**
 * What a filter asks of resources of a type. A value of many is enough, also for `ne`. Throws `scim.filter` for attributes
 * that the type has not, and for comparisons that an attribute does not allow. RFC 7644 section 3.4.2.2
 */
export const matcher = (type: ResourceType, filter: Filter): Test<JsonObject> =>
  test(filter, (path) => {
    const found = resolve(type, path);
    return found && { attribute: found.sub ?? found.attribute, values: (resource) => valuesOf(resource, found) };
  });

/** What a filter in brackets asks of single values of an attribute. Throws as `matcher`. */
export const elementMatcher = (attribute: Attribute, filter: Filter): Test<Json> => test(filter, within(attribute));

function test<T>(filter: Filter, scope: Scope<T>): Test<T> {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const tests = filter.parts.map((part) => test(part, scope));
      return filter.kind === 'and' ? (of) => tests.every((one) => one(of)) : (of) => tests.some((one) => one(of));
    }
    case 'not': {
      const inner = test(filter.of, scope);
      return (of) => !inner(of);
    }
    case 'present': {
      const { values } = found(filter.path, scope);
      return (of) => values(of).length > 0;
    }
    case 'element': {
      const { attribute, values } = found(filter.path, scope);
      const inner = test<Json>(filter.of, within(attribute));
      return (of) => values(of).some(inner);
    }
    case 'compare':
      return comparison(filter, scope);
    default:
      return filter satisfies never;
  }
}

function found<T>(path: AttributePath, scope: Scope<T>) {
  const attribute = scope(path);
  if (!attribute) throw new Fault('scim.filter', { reason: `there is no attribute ${printPath(path)}` });
  return attribute;
}

/** Nothing deeper than a sub-attribute exists; the "value" of what has none is what it is. RFC 7643 section 2.4 */
const within =
  (outer: Attribute): Scope<Json> =>
  ({ schema, name, sub }) => {
    if (schema !== undefined || sub !== undefined) return undefined;
    if (!outer.subAttributes) {
      return outer.multiValued && folded(name) === 'value' ? { attribute: outer, values: (one) => [one] } : undefined;
    }
    const attribute = named(outer.subAttributes, name);
    return attribute && { attribute, values: (value) => valuesIn(value, attribute) };
  };

function comparison<T>({ path, operator, value }: Comparison, scope: Scope<T>): Test<T> {
  const { attribute: outer, values: outerValues } = found(path, scope);
  // A complex attribute stands for its "value". RFC 7643 section 2.4
  const inner = outer.type === 'complex' ? named(outer.subAttributes ?? [], 'value') : undefined;
  const attribute = inner ?? outer;
  const values = inner ? (of: T) => outerValues(of).flatMap((one) => valuesIn(one, inner)) : outerValues;
  const refuse = () => new Fault('scim.filter', { reason: `${printPath(path)} cannot be compared like that` });
  if (attribute.type === 'complex') throw refuse();
  if (value === null) {
    if (operator !== 'eq' && operator !== 'ne') throw refuse();
    return (of) => (values(of).length === 0) === (operator === 'eq');
  }
  const compare = comparer(attribute, operator, value);
  if (!compare) throw refuse();
  return operator === 'ne'
    ? (of) => values(of).length === 0 || values(of).some(compare)
    : (of) => values(of).some(compare);
}

const ORDERED: Readonly<Record<Exclude<Operator, 'co' | 'sw' | 'ew'>, (order: number) => boolean>> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
  lt: (order) => order < 0,
  le: (order) => order <= 0,
};

/** Upper and lower case of ASCII alone count as the same, in the indexes of the database as here. */
export const folded = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$/;

/** `undefined` when the attribute, the operator and the value do not go together. */
function comparer(
  { type, caseExact }: Attribute,
  operator: Operator,
  value: NonNullable<FilterValue>,
): Test<Json> | undefined {
  if (type === 'boolean') {
    if (typeof value !== 'boolean' || (operator !== 'eq' && operator !== 'ne')) return undefined;
    return (one) => (one === value) === (operator === 'eq');
  }
  if (type === 'integer') {
    if (typeof value !== 'number' || !isOrder(operator)) return undefined;
    return (one) => typeof one === 'number' && ORDERED[operator](one - value);
  }
  if (typeof value !== 'string') return undefined;
  if (type === 'dateTime' && isOrder(operator)) {
    const time = DATE_TIME.test(value) ? Date.parse(value) : NaN;
    return Number.isNaN(time)
      ? undefined
      : (one) => typeof one === 'string' && ORDERED[operator](Date.parse(one) - time);
  }
  const plain = caseExact ? (text: string) => text : folded;
  const wanted = plain(value);
  return (one) => typeof one === 'string' && matchesText(plain(one), operator, wanted);
}

const isOrder = (operator: Operator): operator is keyof typeof ORDERED => Object.hasOwn(ORDERED, operator);

function matchesText(text: string, operator: Operator, wanted: string): boolean {
  if (operator === 'co') return text.includes(wanted);
  if (operator === 'sw') return text.startsWith(wanted);
  if (operator === 'ew') return text.endsWith(wanted);
  return ORDERED[operator](text === wanted ? 0 : text < wanted ? -1 : 1);
}

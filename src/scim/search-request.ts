import { z } from 'zod';
import { Fault } from '../kernel/fault.js';
import { bodyFault } from '../platform/problem.js';
import { type AttributePath, attributePath } from './attribute-path.js';
import type { Filter } from './filter.js';
import { LONGEST_FILTER, parseFilter } from './filter-parser.js';
import type { Wish } from './projection.js';

/** No answer has more resources, and for no answer more are gone through. */
export const MOST_RESOURCES = 20_000;

/** What is asked of `/Users` or `/Groups`. RFC 7644 section 3.4.2 */
export interface Search extends Wish {
  readonly filter?: Filter | undefined;
  readonly sortBy?: AttributePath | undefined;
  readonly descending: boolean;
  /** From 1. */
  readonly startIndex: number;
  /** All when absent (D-30). */
  readonly count?: number | undefined;
}

const SEARCH_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
const FURTHEST = 2_000_000_000;

const name = z.string().max(300);
const names = z.array(name).max(100);
const order = z.enum(['ascending', 'descending']);
const filter = z.string().max(LONGEST_FILTER + 1);
const within = (least: number, most: number) =>
  z.number().transform((n) => Math.min(Math.max(Math.trunc(n), least), most));
const number = z
  .string()
  .regex(/^[+-]?[0-9]{1,20}$/)
  .transform(Number);
/** As many as there are commas; blanks around them do not count. */
const list = z
  .string()
  .max(10_000)
  .transform((text) => text.split(',').map((one) => one.trim()))
  .pipe(names);

const startIndex = within(1, FURTHEST);
const count = within(0, MOST_RESOURCES);

const wish = z.object({ attributes: list.optional(), excludedAttributes: list.optional() });
const query = wish.extend({
  filter: filter.optional(),
  sortBy: name.optional(),
  sortOrder: order.optional(),
  startIndex: number.pipe(startIndex).optional(),
  count: number.pipe(count).optional(),
});
const body = z.object({
  schemas: z
    .array(z.string().max(300))
    .max(10)
    .refine((all) => all.includes(SEARCH_REQUEST), SEARCH_REQUEST),
  attributes: names.optional(),
  excludedAttributes: names.optional(),
  filter: filter.optional(),
  sortBy: name.optional(),
  sortOrder: order.optional(),
  startIndex: startIndex.optional(),
  count: count.optional(),
});

/** `attributes` and `excludedAttributes` of a query. Throws `scim.value`. */
export const wishOf = (asked: unknown): Wish => read(wish, asked);

/**
 * A search as a query. `startIndex` below 1 is 1, `count` below 0 is 0 and no larger than what is given at once; parameters
 * nobody knows do not count. Throws `scim.value` and `scim.filter`. RFC 7644 section 3.4.2
 */
export const searchOfQuery = (asked: unknown): Search => search(read(query, asked));

/** A search as the body of a POST. Throws `body.malformed`, `scim.value` and `scim.filter`. RFC 7644 section 3.4.3 */
export function searchOfBody(asked: unknown): Search {
  const found = body.safeParse(asked);
  if (!found.success) throw bodyFault(found.error.issues);
  return search(found.data);
}

function search(asked: z.output<typeof query>): Search {
  const { filter: text, sortBy, sortOrder, startIndex: from = 1 } = asked;
  const path = sortBy === undefined ? undefined : attributePath(sortBy);
  if (sortBy !== undefined && !path) throw new Fault('scim.value', { reason: 'sortBy is no name of an attribute' });
  return {
    attributes: asked.attributes,
    excludedAttributes: asked.excludedAttributes,
    filter: text === undefined ? undefined : parseFilter(text),
    sortBy: path,
    descending: sortOrder === 'descending',
    startIndex: from,
    count: asked.count,
  };
}

function read<T>(schema: z.ZodType<T>, asked: unknown): T {
  const found = schema.safeParse(asked);
  if (found.success) return found.data;
  throw new Fault('scim.value', bodyFault(found.error.issues).facts);
}

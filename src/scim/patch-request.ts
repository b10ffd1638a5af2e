import { z } from 'zod';
import { Fault } from '../kernel/fault.js';
import { bodyFault } from '../platform/problem.js';
import { attributePath } from './attribute-path.js';
import type { Filter } from './filter.js';
import { LONGEST_FILTER, parseFilter } from './filter-parser.js';
import { type Named, resolve, type ResourceType } from './schema.js';

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** What one request may ask. */
export const MOST_OPERATIONS = 100;

/** Where an operation points: an attribute, one part of it, or the values that a filter picks. RFC 7644 section 3.5.2 */
export interface Target extends Named {
  readonly filter?: Filter;
}

export interface Operation {
  readonly op: 'add' | 'remove' | 'replace';
  /** Absent: the value says for each attribute what is to be done. With `extension` alone: for those of an extension. */
  readonly target?: Target | { readonly extension: string };
  readonly value?: unknown;
}

/** Names have no case. RFC 7643 section 2.1 */
const anyCase = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && !Array.isArray(body)
    ? Object.fromEntries(Object.entries(body).map(([name, value]) => [name.toLowerCase(), value as unknown]))
    : body;

const operation = z.preprocess(
  anyCase,
  z.object({
    op: z
      .string()
      .max(20)
      .toLowerCase()
      .pipe(z.enum(['add', 'remove', 'replace'])),
    path: z
      .string()
      .max(LONGEST_FILTER + 300)
      .nullish(),
    value: z.unknown().optional(),
  }),
);
const request = z.preprocess(
  anyCase,
  z.object({
    schemas: z
      .array(z.string().max(300))
      .max(10)
      .refine((all) => all.some((one) => one.toLowerCase() === PATCH_OP.toLowerCase()), PATCH_OP),
    operations: z.array(z.unknown()).min(1),
  }),
);

/**
 * Reads the body of a PATCH. Throws `body.malformed`, `scim.too-much`, `scim.path`, `scim.filter`, `scim.no-target` for what
 * is to be removed without saying what. RFC 7644 section 3.5.2
 */
export function operationsOf(type: ResourceType, body: unknown): Operation[] {
  const asked = read(request, body);
  if (asked.operations.length > MOST_OPERATIONS)
    throw new Fault('scim.too-much', { reason: `more than ${MOST_OPERATIONS} operations` });
  return asked.operations.map((one) => {
    const { op, path, value } = read(operation, one);
    if (op === 'remove' && (path ?? '') === '') throw new Fault('scim.no-target', { reason: 'remove without a path' });
    const target = path === null || path === undefined || path === '' ? undefined : targetOf(type, path);
    return { op, ...(target && { target }), value };
  });
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const found = schema.safeParse(value);
  if (!found.success) throw bodyFault(found.error.issues);
  return found.data;
}

/** `attribute`, `attribute.sub`, `attribute[filter]`, `attribute[filter].sub`, each with its schema in front, or a schema. */
function targetOf(type: ResourceType, path: string): NonNullable<Operation['target']> {
  const extension = type.extensions.find(({ id }) => id.toLowerCase() === path.toLowerCase());
  if (extension) return { extension: extension.id };
  const unknown = () => new Fault('scim.path', { reason: `there is no ${path.slice(0, 300)}` });
  const [, element, after] = /^([^[]*\[.*\])(?:\.([A-Za-z$][\w$-]{0,63}))?$/s.exec(path) ?? [];
  if (element === undefined) {
    const plain = attributePath(path);
    const found = plain && resolve(type, plain);
    if (!found) throw unknown();
    return found;
  }
  const parsed = parseFilter(element);
  if (parsed.kind !== 'element' || parsed.path.sub !== undefined) throw unknown();
  const found = resolve(type, { ...parsed.path, ...(after !== undefined && { sub: after }) });
  if (!found?.attribute.multiValued) throw unknown();
  return { ...found, filter: parsed.of };
}

import { Fault } from '../kernel/fault.js';
import { attributePath } from './attribute-path.js';
import { keyOf, valueOf } from './assertion.js';
import { elementMatcher, folded } from './matching.js';
import type { Operation, Target } from './patch-request.js';
import {
  type Attribute,
  isObject,
  type Json,
  type JsonObject,
  resolve,
  type ResourceType,
  valuesOf,
} from './schema.js';

/**
 * The resource as it is after all operations, one after the other. What cannot be changed may be named with the value that
 * it has. Throws `scim.mutability`, `scim.value`, `scim.no-target`, `scim.filter`; then nothing of it counts. RFC 7644
 * section 3.5.2
 */
export const patched = (type: ResourceType, resource: JsonObject, operations: readonly Operation[]): JsonObject =>
  operations.reduce((before, operation) => carriedOut(type, before, operation), resource);

function carriedOut(type: ResourceType, resource: JsonObject, { op, target, value }: Operation): JsonObject {
  if (target && 'attribute' in target) return onTarget(resource, op, target, value);
  if (op === 'remove') throw new Fault('scim.mutability', { reason: 'an extension is not removed as a whole' });
  if (!isObject(value))
    throw new Fault('scim.value', { reason: 'without a path to an attribute the value is an object of attributes' });
  return Object.entries(value).reduce((before, [name, held]) => {
    const inner = type.extensions.find(({ id }) => id.toLowerCase() === name.toLowerCase());
    if (inner && !target) return carriedOut(type, before, { op, target: { extension: inner.id }, value: held });
    const path = attributePath(name);
    const found = path && resolve(type, target ? { ...path, schema: target.extension } : path);
    // Whoever names attributes by the way may name such as are not known here. RFC 7644 section 3.3
    return found ? onTarget(before, op, found, held) : before;
  }, resource);
}

function onTarget(resource: JsonObject, op: Operation['op'], target: Target, value: unknown): JsonObject {
  const { attribute, sub } = target;
  const fixed = () => new Fault('scim.mutability', { reason: `${(sub ?? attribute).name} cannot be changed` });
  if (op === 'remove') {
    if (sub || attribute.required || attribute.mutability !== 'readWrite') throw fixed();
    return removed(resource, target, value);
  }
  const before = valuesOf(resource, target);
  if ((sub ?? attribute).mutability !== 'readWrite') {
    if (!target.filter && isSame(sub ?? attribute, before, value)) return resource;
    throw fixed();
  }
  const asked = valueOf(attribute, value);
  if (!attribute.multiValued) return put(resource, target, asked);
  if (!target.filter) return put(resource, target, op === 'add' ? union(before, asked) : asked);
  const picked = picks(target);
  if (!before.some(picked)) throw new Fault('scim.no-target', { reason: `no ${attribute.name} is like that` });
  const rest = before.filter((one) => !picked(one));
  return put(resource, target, union(op === 'add' ? before : rest, asked));
}

/** All values, those that a filter picks, or those that are named, as Microsoft Entra does; it need not have any of them. */
function removed(resource: JsonObject, target: Target, value: unknown): JsonObject {
  const { attribute, filter } = target;
  if (!attribute.multiValued) return put(resource, target, undefined);
  const before = valuesOf(resource, target);
  if (filter) {
    const picked = picks(target);
    return put(
      resource,
      target,
      before.filter((one) => !picked(one)),
    );
  }
  if (value === undefined || value === null) return put(resource, target, []);
  const gone = new Set((valueOf(attribute, value) as readonly Json[]).map(keyOf));
  return put(
    resource,
    target,
    before.filter((one) => !gone.has(keyOf(one))),
  );
}

const picks = ({ attribute, filter }: Target) => elementMatcher(attribute, filter!);

/** What is there first stays as it is. */
function union(before: readonly Json[], more: Json): Json[] {
  const known = new Set(before.map(keyOf));
  return [...before, ...(more as readonly Json[]).filter((one) => !known.has(keyOf(one)))];
}

function put(resource: JsonObject, { extension, attribute }: Target, value: Json | undefined): JsonObject {
  if (extension !== undefined) {
    const inside = isObject(resource[extension]) ? resource[extension] : {};
    return { ...resource, [extension]: put(inside, { attribute }, value) };
  }
  if (value !== undefined) return { ...resource, [attribute.name]: value };
  return Object.fromEntries(Object.entries(resource).filter(([name]) => name !== attribute.name));
}

/** Whether what is asked for is what is there already. */
function isSame({ caseExact, multiValued }: Attribute, before: readonly Json[], value: unknown): boolean {
  const text = (json: unknown) => (typeof json === 'string' && !caseExact ? folded(json) : JSON.stringify(json));
  return multiValued ? text(before) === text(value) : before.length === 1 && text(before[0]) === text(value);
}

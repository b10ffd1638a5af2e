import { Fault } from '../kernel/fault.js';
import { folded } from './matching.js';
import { isObject, type JsonObject, named, type ResourceType } from './schema.js';

/**
 * The resource with what was asserted in the place of what was there; what was not asserted stays. Throws
 * `scim.mutability` when what cannot be changed is asserted to be something else. RFC 7644 section 3.5.1
 */
export function replaced(type: ResourceType, now: JsonObject, asserted: JsonObject): JsonObject {
  for (const [name, value] of Object.entries(asserted)) {
    const attribute = named(type.schema.attributes, name);
    const [before, after] = [now[name], value];
    if (attribute?.mutability !== 'immutable' || typeof before !== 'string' || typeof after !== 'string') continue;
    if (folded(before) !== folded(after)) throw new Fault('scim.mutability', { reason: `${name} cannot be changed` });
  }
  const extensions = type.extensions.flatMap(({ id }) => {
    const [before, after] = [now[id], asserted[id]];
    return isObject(after) ? [[id, { ...(isObject(before) ? before : {}), ...after }]] : [];
  });
  return { ...now, ...asserted, ...(Object.fromEntries(extensions) as JsonObject) };
}

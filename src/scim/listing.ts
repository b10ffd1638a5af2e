import { Fault } from '../kernel/fault.js';
import { type AttributePath, printPath } from './attribute-path.js';
import { folded } from './matching.js';
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

/** RFC 7644 section 3.4.2 */
export const listResponse = (
  resources: readonly JsonObject[],
  totalResults: number,
  startIndex: number,
): JsonObject => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
  totalResults,
  startIndex,
  itemsPerPage: resources.length,
  Resources: resources,
});

/**
 * The resources in the order of an attribute; of many values the first counts. What has no value is last, and first when
 * descending. Throws `scim.value` for an attribute that the type has not. RFC 7644 section 3.4.2.3
 */
export function sorted(
  type: ResourceType,
  resources: readonly JsonObject[],
  by: AttributePath,
  descending: boolean,
): JsonObject[] {
  const keyOf = sortKey(type, by);
  const keyed = resources.map((resource) => ({ resource, key: keyOf(resource) }));
  keyed.sort((one, other) => (descending ? -1 : 1) * order(one.key, other.key));
  return keyed.map(({ resource }) => resource);
}

function sortKey(type: ResourceType, by: AttributePath): (resource: JsonObject) => Json | undefined {
  const found = resolve(type, by);
  const outer = found && (found.sub ?? found.attribute);
  const inner: Attribute | undefined =
    outer?.type === 'complex' ? named(outer.subAttributes ?? [], 'value') : undefined;
  const last = inner ?? outer;
  if (!found || last?.type === 'complex')
    throw new Fault('scim.value', { reason: `nothing is sorted by ${printPath(by)}` });
  return (resource) => {
    const [first] = valuesOf(resource, found);
    const [key] = inner ? valuesIn(first, inner) : [first];
    return typeof key === 'string' && last?.caseExact === false ? folded(key) : key;
  };
}

function order(one: Json | undefined, other: Json | undefined): number {
  if (one === other) return 0;
  if (one === undefined || other === undefined) return one === undefined ? 1 : -1;
  return one < other ? -1 : 1;
}

import { ocmAddress } from '../kernel/address.js';
import { Fault, isFault } from '../kernel/fault.js';
import { folded } from './matching.js';
import {
  type Attribute,
  EXTERNAL_ID,
  isObject,
  type Json,
  type JsonObject,
  named,
  resolve,
  type ResourceType,
} from './schema.js';

/** The longest name of a user, and the longest OCM Address. */
const [LONGEST_NAME, LONGEST_ADDRESS] = [200, 512];
/** So many values of one attribute are read at once. */
export const MOST_VALUES = 20_000;

const wrong = (attribute: Attribute, reason: string) =>
  new Fault('scim.value', { reason: `${attribute.name}: ${reason}` });

/**
 * What a client says a resource is to be: the attributes that it may have a say in, by their right names; of many values all.
 * What is read-only or unknown does not count, nor does what is null. Throws `body.malformed`, `scim.value`. RFC 7644
 * sections 3.3, 3.5.1
 */
export function assertedIn(type: ResourceType, body: unknown): JsonObject {
  if (!isObject(body)) throw malformed('', 'not an object');
  const [, schemas] = Object.entries(body).find(([name]) => name.toLowerCase() === 'schemas') ?? [];
  const isNamed = (id: string) =>
    Array.isArray(schemas) && schemas.some((one) => typeof one === 'string' && one.toLowerCase() === id.toLowerCase());
  if (!isNamed(type.schema.id)) throw malformed('schemas', `${type.schema.id} is missing`);
  const asserted: Record<string, Json> = {};
  for (const [name, value] of Object.entries(body)) {
    const extension = type.extensions.find(({ id }) => id.toLowerCase() === name.toLowerCase());
    if (!extension) {
      const found = resolve(type, { name });
      if (found && counts(found.attribute, value)) asserted[found.attribute.name] = valueOf(found.attribute, value);
      continue;
    }
    if (!isObject(value)) throw new Fault('scim.value', { reason: `${extension.id}: not an object` });
    const inside = Object.entries(value).flatMap(([inner, held]): [string, Json][] => {
      const attribute = named(extension.attributes, inner);
      return attribute && counts(attribute, held) ? [[attribute.name, valueOf(attribute, held)]] : [];
    });
    if (inside.length > 0) asserted[extension.id] = Object.fromEntries(inside);
  }
  return asserted;
}

const malformed = (path: string, message: string) => new Fault('body.malformed', { errors: [{ path, message }] });

const counts = ({ mutability }: Attribute, value: unknown) => mutability !== 'readOnly' && value !== null;

/**
 * A value as the schema has it; one of many may stand alone. A boolean may be written as text, as Microsoft Entra does.
 * Throws `scim.value`.
 */
export function valueOf(attribute: Attribute, value: unknown): Json {
  if (!attribute.multiValued) return single(attribute, value);
  const all: unknown[] = Array.isArray(value) ? value : [value];
  if (all.length > MOST_VALUES) throw wrong(attribute, `more than ${MOST_VALUES} values`);
  const values = new Map(all.map((one) => single(attribute, one)).map((one) => [keyOf(one), one]));
  return [...values.values()];
}

/** What tells the values of an attribute apart. */
export const keyOf = (value: Json): Json => (isObject(value) ? (value['value'] ?? '') : value);

function single(attribute: Attribute, value: unknown): Json {
  switch (attribute.type) {
    case 'boolean': {
      const said = typeof value === 'string' ? folded(value) : value;
      if (said === true || said === 'true') return true;
      if (said === false || said === 'false') return false;
      throw wrong(attribute, 'neither true nor false');
    }
    case 'complex': {
      const [, id] = isObject(value) ? member(value, 'value') : [];
      const [, type] = isObject(value) ? member(value, 'type') : [];
      const types = named(attribute.subAttributes ?? [], 'type')?.canonicalValues ?? [];
      if (typeof type === 'string' && !types.some((one) => folded(one) === folded(type)))
        throw wrong(attribute, `there are only values of type ${types.join(', ')}`);
      return { value: address(attribute, id) };
    }
    default:
      return attribute.caseExact && attribute !== EXTERNAL_ID ? address(attribute, value) : line(attribute, value);
  }
}

const member = (object: JsonObject, name: string): [string?, Json?] =>
  Object.entries(object).find(([one]) => one.toLowerCase() === name) ?? [];

/** Whatever else is written and has a case is an OCM Address. */
function address(attribute: Attribute, value: unknown): string {
  try {
    return ocmAddress(line(attribute, value));
  } catch (error) {
    if (!isFault(error, 'address.malformed')) throw error;
    throw wrong(attribute, 'not an OCM Address');
  }
}

function line(attribute: Attribute, value: unknown): string {
  const isName = attribute.mutability === 'readWrite' && !attribute.caseExact && attribute.type === 'string';
  const longest = isName ? LONGEST_NAME : LONGEST_ADDRESS;
  const fits = typeof value === 'string' && value.length > 0 && value.length <= longest;
  if (!fits || !value.isWellFormed() || /\p{Cc}/u.test(value))
    throw wrong(attribute, `not a line of 1 to ${longest} characters`);
  return value;
}

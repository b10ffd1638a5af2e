import type { AttributePath } from './attribute-path.js';

/** An attribute as `/Schemas` describes it. RFC 7643 section 7 */
export interface Attribute {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'integer' | 'dateTime' | 'reference' | 'complex';
  readonly description: string;
  readonly multiValued: boolean;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable';
  readonly returned: 'always' | 'default';
  readonly uniqueness: 'none' | 'server';
  readonly referenceTypes?: readonly string[];
  readonly canonicalValues?: readonly string[];
  readonly subAttributes?: readonly Attribute[];
}

type Traits = Partial<Omit<Attribute, 'name' | 'type' | 'description'>>;

/** Most is read here and not written; the rest are the defaults of RFC 7643 section 2.2. */
export const attribute = (
  name: string,
  type: Attribute['type'],
  description: string,
  traits: Traits = {},
): Attribute => ({
  name,
  type,
  description,
  multiValued: false,
  required: false,
  caseExact: false,
  mutability: 'readOnly',
  returned: 'default',
  uniqueness: 'none',
  ...traits,
});

export interface Schema {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly Attribute[];
}

/** What lives at one endpoint. RFC 7643 section 6 */
export interface ResourceType {
  readonly name: 'User' | 'Group';
  readonly endpoint: '/Users' | '/Groups';
  readonly description: string;
  readonly schema: Schema;
  readonly extensions: readonly Schema[];
}

/** RFC 7643 section 3.1 */
export const EXTERNAL_ID = attribute('externalId', 'string', 'The id that a client gave', {
  caseExact: true,
  mutability: 'readWrite',
});

/** Of every resource, in no schema. RFC 7643 section 3.1 */
const COMMON: readonly Attribute[] = [
  attribute('schemas', 'reference', 'The schemas of the resource', {
    multiValued: true,
    caseExact: true,
    returned: 'always',
  }),
  attribute('id', 'string', 'The OCM Address', { caseExact: true, returned: 'always', uniqueness: 'server' }),
  EXTERNAL_ID,
  attribute('meta', 'complex', 'About the resource', {
    subAttributes: [
      attribute('resourceType', 'string', 'User or Group', { caseExact: true }),
      attribute('created', 'dateTime', 'Of a User, when it was made known'),
      attribute('location', 'reference', 'Where the resource is', { caseExact: true }),
      attribute('version', 'string', 'The ETag', { caseExact: true }),
    ],
  }),
];

/** What a path names in resources of a type. */
export interface Named {
  /** The member of the resource that holds the attributes of an extension. */
  readonly extension?: string;
  readonly attribute: Attribute;
  readonly sub?: Attribute;
}

/** The attribute of that name, whatever the case. RFC 7643 section 2.1 */
export const named = (attributes: readonly Attribute[], name: string): Attribute | undefined =>
  attributes.find((one) => one.name.toLowerCase() === name.toLowerCase());

const sameId = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/**
 * Finds what a path names; `undefined` when the type has no such attribute. Attributes of an extension are named with its
 * schema. RFC 7644 section 3.10
 */
export function resolve(type: ResourceType, { schema, name, sub }: AttributePath): Named | undefined {
  const extension = type.extensions.find(({ id }) => schema !== undefined && sameId(id, schema));
  if (schema !== undefined && !extension && !sameId(type.schema.id, schema)) return undefined;
  const found = named(extension ? extension.attributes : [...COMMON, ...type.schema.attributes], name);
  const inner = sub === undefined ? undefined : named(found?.subAttributes ?? [], sub);
  if (!found || (sub !== undefined && !inner)) return undefined;
  return { ...(extension && { extension: extension.id }), attribute: found, ...(inner && { sub: inner }) };
}

/** A resource, or a part of one, as JSON. */
export type Json = string | number | boolean | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Whether a value, if of a client, has attributes. */
export const isObject = (json: unknown): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

/** The values that an object has of an attribute, none or one or, of a multi-valued attribute, many. */
export function valuesIn(holder: Json | undefined, { name }: Attribute): readonly Json[] {
  const value = isObject(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined;
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

/** All values of what a path names. */
export function valuesOf(resource: JsonObject, { extension, attribute: outer, sub }: Named): readonly Json[] {
  const values = valuesIn(extension === undefined ? resource : resource[extension], outer);
  return sub ? values.flatMap((value) => valuesIn(value, sub)) : values;
}

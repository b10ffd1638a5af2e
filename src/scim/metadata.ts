import { listResponse } from './listing.js';
import type { Place } from './resources.js';
import type { JsonObject, ResourceType, Schema } from './schema.js';
import { RESOURCE_TYPES, SCHEMAS } from './schemas.js';
import { MOST_RESOURCES } from './search-request.js';

const OF = 'urn:ietf:params:scim:schemas:core:2.0';

const metaOf = ({ base }: Place, resourceType: string, path: string) => ({ resourceType, location: `${base}${path}` });

/** What is offered and what is not. RFC 7643 section 5 */
export const serviceProviderConfig = (place: Place): JsonObject => ({
  schemas: [`${OF}:ServiceProviderConfig`],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MOST_RESOURCES },
  changePassword: { supported: false },
  sort: { supported: true },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'API key',
      description: 'Authorization: Bearer, with an API key of the server',
      specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
      primary: true,
    },
  ],
  meta: metaOf(place, 'ServiceProviderConfig', '/ServiceProviderConfig'),
});

/** RFC 7643 section 6 */
const resourceType = (place: Place, { name, endpoint, description, schema, extensions }: ResourceType): JsonObject => ({
  schemas: [`${OF}:ResourceType`],
  id: name,
  name,
  endpoint,
  description,
  schema: schema.id,
  ...(extensions.length > 0 && {
    schemaExtensions: extensions.map(({ id }) => ({ schema: id, required: name === 'Group' })),
  }),
  meta: metaOf(place, 'ResourceType', `/ResourceTypes/${name}`),
});

/** RFC 7643 section 7 */
const schema = (place: Place, { id, name, description, attributes }: Schema): JsonObject => ({
  schemas: [`${OF}:Schema`],
  id,
  name,
  description,
  attributes: attributes as unknown as JsonObject[],
  meta: metaOf(place, 'Schema', `/Schemas/${id}`),
});

export const resourceTypes = (place: Place): JsonObject => all(RESOURCE_TYPES.map((type) => resourceType(place, type)));

/** `undefined` when there is no such type. */
export const resourceTypeById = (place: Place, id: string): JsonObject | undefined =>
  RESOURCE_TYPES.filter(({ name }) => name === id).map((type) => resourceType(place, type))[0];

export const schemas = (place: Place): JsonObject => all(SCHEMAS.map((one) => schema(place, one)));

/** `undefined` when there is no such schema. URNs have no case here. */
export const schemaById = (place: Place, id: string): JsonObject | undefined =>
  SCHEMAS.filter((one) => one.id.toLowerCase() === id.toLowerCase()).map((one) => schema(place, one))[0];

const all = (found: readonly JsonObject[]) => listResponse(found, found.length, 1);

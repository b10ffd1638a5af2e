import { host, type Host } from '../kernel/address.js';

/**
 * Old forms of OCM 1.4 and OCM-MLS -01, turned into the new ones; nothing behind this file knows that they exist, and
 * it is asked only for peers that are configured. D-02, OCM core section 3.7. What is not an old form passes unchanged.
 */
type Json = { readonly [member: string]: unknown };

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const rename = (names: Readonly<Record<string, string>>, values: unknown): unknown =>
  Array.isArray(values)
    ? values.map((value: unknown) => (typeof value === 'string' ? (names[value] ?? value) : value))
    : values;

/** -01: `notification.mlsGroupId`, flat, without `senderDomain` and `shareType`. OCM-MLS section 0 */
function modernMls(body: Json, from: Host): Json {
  const notification = body['notification'];
  if (!isObject(notification) || notification['federation'] !== undefined) return body;
  return { senderDomain: from, ...body, shareType: 'federation', notification: { federation: notification } };
}

/** 1.4: `providerId` at the top. OCM core, notes, item 9 */
function modernShareNotification(body: Json, from: Host): Json {
  const { providerId, ...rest } = body;
  const notification = isObject(body['notification']) ? body['notification'] : {};
  if (providerId === undefined || notification['file'] !== undefined) return { senderDomain: from, ...body };
  return { senderDomain: from, resourceType: 'file', ...rest, notification: { ...notification, file: { providerId } } };
}

/** -01: `{ scheme: "ocm-mls-1", cipher, resourceId }`. OCM-MLS section 0 */
function modernEncryption(encryption: unknown): unknown {
  if (!isObject(encryption) || encryption['scheme'] !== 'ocm-mls-1') return encryption;
  const { cipher, resourceId } = encryption;
  return { resourceId, scheme: 'ocm-mls', 'ocm-mls': { cipher } };
}

const REQUIREMENTS = { 'mfa-enforced': 'must-use-mfa' };

/** 1.4: the protocol `datatx`, now an access type of WebDAV, and old names of requirements. */
function modernProtocol(protocol: unknown): unknown {
  if (!isObject(protocol) || !isObject(protocol['webdav'])) return protocol;
  const { datatx, webdav, ...rest } = protocol as { datatx?: unknown; webdav: Json };
  const { requirements, accessTypes, ...access } = webdav;
  return {
    ...rest,
    webdav: {
      ...access,
      ...(requirements === undefined ? {} : { requirements: rename(REQUIREMENTS, requirements) }),
      ...(datatx === undefined
        ? accessTypes === undefined
          ? {}
          : { accessTypes }
        : { accessTypes: ['remote', 'datatx'] }),
    },
  };
}

function modernShare(body: Json): Json {
  return {
    ...body,
    protocol: modernProtocol(body['protocol']),
    ...(body['encryption'] === undefined ? {} : { encryption: modernEncryption(body['encryption']) }),
  };
}

/** A notification or share as an old peer writes it. `from` is the server whose signature was verified. */
export function modernBody(body: unknown, from: Host): unknown {
  if (!isObject(body)) return body;
  const { notificationType } = body;
  if (typeof notificationType !== 'string') return body['shareWith'] === undefined ? body : modernShare(body);
  return notificationType.startsWith('MLS_') ? modernMls(body, from) : modernShareNotification(body, from);
}

const CRITERIA = {
  'http-request-signatures': 'must-use-http-sig',
  'token-exchange': 'must-exchange-token',
  invite: 'must-invite',
};

/** 1.4: old criteria, and the capability `webdav-uri` for what is now the protocol `webdav-receive`. */
export function modernDiscovery(document: unknown): unknown {
  if (!isObject(document)) return document;
  const { criteria, capabilities, resourceTypes } = document;
  const receives = Array.isArray(capabilities) && capabilities.includes('webdav-uri');
  const modernType = (type: unknown): unknown =>
    receives && isObject(type) && isObject(type['protocols'])
      ? { ...type, protocols: { 'webdav-receive': { uri: 'absolute' }, ...type['protocols'] } }
      : type;
  return {
    ...document,
    ...(criteria === undefined ? {} : { criteria: rename(CRITERIA, criteria) }),
    ...(Array.isArray(resourceTypes) ? { resourceTypes: resourceTypes.map(modernType) } : {}),
  };
}

/** Before -07 the JWK Set had a fixed place. */
export const oldJwksUri = (origin: string): string => `${origin}/.well-known/jwks.json`;

/** Before -07 a key id was often a URL of the signing server. */
export function hostOfOldKeyId(keyId: string): Host | undefined {
  if (!URL.canParse(keyId)) return undefined;
  const url = new URL(keyId);
  return /^https?:$/.test(url.protocol) ? host(url.host) : undefined;
}

import { z } from 'zod';
import { Fault } from '../kernel/fault.js';
import { peerUrl } from './peer-url.js';
import type { AddressPolicy } from './public-ip.js';

/** OCM core section "Fields": what a server offers and demands, as far as we look at it. */
export interface Discovery {
  readonly enabled: boolean;
  readonly apiVersion: string;
  /** Without a slash at the end. */
  readonly endPoint: string;
  readonly resourceTypes: readonly ResourceType[];
  readonly capabilities: readonly string[];
  readonly criteria: readonly string[];
  readonly jwksUri?: string;
  readonly tokenEndPoint?: string;
}

export interface ResourceType {
  readonly name: string;
  readonly shareTypes: readonly string[];
  /** A name says "can send", the name with `-receive` says "can receive". */
  readonly protocols: Readonly<Record<string, unknown>>;
}

const name = z.string().min(1).max(100);
const names = z.array(name).max(100);

const resourceType = z.object({
  name,
  shareTypes: names,
  protocols: z
    .record(name, z.unknown())
    .refine((protocols) => Object.keys(protocols).length <= 50, 'too many protocols'),
});

const document = (policy: AddressPolicy) => {
  const url = z.string().transform((text, context) => {
    try {
      return peerUrl(text, policy).href;
    } catch {
      context.addIssue({ code: 'custom', message: 'refused' });
      return z.NEVER;
    }
  });
  return z.object({
    enabled: z.boolean(),
    apiVersion: z.string().max(50),
    endPoint: url.refine((text) => !text.includes('?')).transform((text) => text.replace(/\/+$/, '')),
    resourceTypes: z
      .array(resourceType)
      .max(50)
      .refine((types) => new Set(types.map((type) => type.name)).size === types.length, 'names repeat'),
    capabilities: names.default([]),
    criteria: names.default([]),
    jwksUri: url.optional(),
    tokenEndPoint: url.optional(),
  });
};

/** Reads the discovery document of another server; what we do not look at is dropped. Throws `peer.discovery-malformed`. */
export function parseDiscovery(body: unknown, policy: AddressPolicy): Discovery {
  const parsed = document(policy).safeParse(body);
  if (parsed.success) return parsed.data as Discovery;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).slice(0, 10);
  throw new Fault('peer.discovery-malformed', { fields }, parsed.error);
}

/**
 * Whether the server takes shares of this kind. That it takes files for users by WebDAV may be assumed of every server.
 * OCM core section 5.1, item 4; `enabled: false` means that it takes nothing.
 */
export function accepts(discovery: Discovery, resourceType: string, shareType: string, protocol: string): boolean {
  if (!discovery.enabled) return false;
  if (resourceType === 'file' && shareType === 'user' && protocol === 'webdav') return true;
  return discovery.resourceTypes.some(
    (type) =>
      type.name === resourceType &&
      type.shareTypes.includes(shareType) &&
      Object.hasOwn(type.protocols, `${protocol}-receive`),
  );
}

/**
 * Whether the server takes part in federated groups at all: OCM-MLS R-030, D-22a. Who does can receive notifications
 * (OCM-MLS R-032), whether `notifications` is listed or not.
 */
export const federates = ({ enabled, resourceTypes }: Discovery): boolean =>
  enabled && resourceTypes.some(({ shareTypes }) => shareTypes.includes('federation'));

/** Inbound shares must use the code flow. OCM core section 3.5 */
export const demandsTokenExchange = ({ criteria }: Discovery): boolean => criteria.includes('must-exchange-token');

/** The server can exchange the secret of a share for a token. OCM core section 7 */
export const exchangesTokens = ({ capabilities, tokenEndPoint }: Discovery): boolean =>
  capabilities.includes('exchange-token') && tokenEndPoint !== undefined;

/** Where this server's relative WebDAV addresses begin. OCM core section 3.3 */
export const WEBDAV_PREFIX = '/webdav/';

/** Our own document, with what other servers may leave out. */
export type OwnDiscovery = Required<Discovery> & { readonly provider: string };

/**
 * Our own document: core -07, D-01. `file` stands first, since old readers take the WebDAV prefix from there.
 * OCM-MLS; R-031: no field besides those of core, peers derive the paths from `endPoint`.
 */
export function discoveryDocument({
  endPoint,
  provider,
  tokenEndPoint = `${endPoint}/token`,
}: {
  readonly endPoint: string;
  readonly provider: string;
  /** Where a Token Server issues tokens in our stead. */
  readonly tokenEndPoint?: string | undefined;
}): OwnDiscovery {
  const resource = (name: string) => ({
    name,
    shareTypes: ['user', 'federation'],
    protocols: { webdav: WEBDAV_PREFIX, 'webdav-receive': { uri: 'absolute' } },
  });
  return {
    enabled: true,
    apiVersion: '1.5.0',
    endPoint,
    provider,
    resourceTypes: [resource('file'), resource('folder')],
    capabilities: ['exchange-token', 'http-sig', 'notifications', 'protocol-object'],
    criteria: ['must-use-http-sig'],
    jwksUri: `${endPoint}/jwks`,
    tokenEndPoint,
  };
}

import { z } from 'zod';
import { Fault } from '../kernel/fault.js';
import type { OwnDiscovery, ResourceType } from '../ocm/discovery.js';
import type { JwkSet } from '../ocm/jwk-set.js';

/** What the file platform says of itself, as far as it matters here. Places are paths at the configured address. */
export interface Platform {
  /** All that it says, also what is not known here. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly enabled: boolean;
  readonly resourceTypes: readonly ResourceType[];
  readonly capabilities: readonly string[];
  /** Without a slash at the end. */
  readonly endPoint: string;
  readonly tokenEndPoint?: string;
  readonly jwks?: string;
}

const name = z.string().min(1).max(100);
const names = z.array(name).max(100);
const url = z.url({ protocol: /^https?$/ }).max(2048);

const document = z.looseObject({
  enabled: z.boolean(),
  apiVersion: z.string().max(50),
  endPoint: url,
  resourceTypes: z
    .array(z.looseObject({ name, shareTypes: names.default([]), protocols: z.record(name, z.unknown()).default({}) }))
    .max(50)
    .default([]),
  capabilities: names.default([]),
  jwksUri: url.optional(),
  tokenEndPoint: url.optional(),
});

/**
 * Reads the discovery document of the file platform. Of addresses only the paths count, and of the addresses of keys and
 * tokens only those on one of `hosts` or on that of its own endPoint: elsewhere nothing is asked.
 * Throws `upstream.malformed`.
 */
export function readPlatform(body: unknown, hosts: readonly string[]): Platform {
  const parsed = document.safeParse(body);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.')).slice(0, 10);
    throw new Fault('upstream.malformed', { fields }, parsed.error);
  }
  const { enabled, resourceTypes, capabilities, endPoint, tokenEndPoint, jwksUri } = parsed.data;
  const { host, pathname } = new URL(endPoint);
  const at = (address: string | undefined): string | undefined => {
    const place = address === undefined ? undefined : new URL(address);
    return place && [...hosts, host].includes(place.host) ? place.pathname + place.search : undefined;
  };
  const [token, jwks] = [at(tokenEndPoint), at(jwksUri)];
  return {
    document: parsed.data,
    enabled,
    resourceTypes,
    capabilities,
    endPoint: pathname.replace(/\/+$/, ''),
    ...(token !== undefined && { tokenEndPoint: token }),
    ...(jwks !== undefined && { jwks }),
  };
}

/**
 * The platform's document with what we add. Our criteria are not added: they would hold for what is sent to the platform
 * too. Of a resource type that only we know, shares with users are not taken. A platform that is switched off says nothing.
 */
export function jointDiscovery(own: OwnDiscovery, platform: Platform): object {
  if (!platform.enabled) return own;
  const { endPoint, jwksUri, tokenEndPoint, provider } = own;
  return {
    provider,
    ...platform.document,
    endPoint,
    resourceTypes: jointTypes(own.resourceTypes, platform.resourceTypes),
    capabilities: union(platform.capabilities, own.capabilities),
    jwksUri,
    tokenEndPoint,
  };
}

const FEDERATION = ['federation'];

/** The order of the platform stays, since old readers look at the first type; what both say of a protocol it says. */
function jointTypes(own: readonly ResourceType[], theirs: readonly ResourceType[]): object[] {
  const joined = theirs.map((type) => {
    const ours = own.find((candidate) => candidate.name === type.name);
    if (!ours) return type;
    const protocols = { ...ours.protocols, ...type.protocols };
    return { ...type, shareTypes: union(type.shareTypes, FEDERATION), protocols };
  });
  const added = own.filter((ours) => !theirs.some((type) => type.name === ours.name));
  return [...joined, ...added.map((type) => ({ ...type, shareTypes: FEDERATION }))];
}

/** A `kid` that both have is ours: two keys of one name verify nothing. OCM core section "Keys and Algorithms" */
export function jointJwkSet(own: JwkSet, theirs: JwkSet): JwkSet {
  const taken = new Set(own.keys.map(({ kid }) => kid));
  return { keys: [...own.keys, ...theirs.keys.filter(({ kid }) => !taken.has(kid))] };
}

const union = (first: readonly string[], second: readonly string[]): string[] => [...new Set([...first, ...second])];

import { type Host, identifierOf, type OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import type { Epoch } from '../kernel/ids.js';

/** What a token tells about the resource. A secret has no place in it. OCM-IP, The ocm_ip Claim. I-038 */
export interface SharedData {
  readonly resourceType: 'file' | 'folder';
  readonly name: string;
  /** As in the share notice of the server that exchanges: relative to the WebDAV prefix, or absolute. */
  readonly uri: string;
  readonly permissions: readonly string[];
}

export interface AccessFacts {
  readonly issuer: string;
  readonly owner: OcmAddress;
  readonly group: OcmAddress;
  readonly epoch: Epoch;
  readonly providerId: string;
  /** The server that exchanged the secret. */
  readonly recipient: Host;
  /** Its members at `epoch`. */
  readonly members: readonly OcmAddress[];
  /** The one member the token is bound to; it speaks for nobody else then. */
  readonly member?: OcmAddress;
  readonly data: SharedData;
  /** Protocol servers were told of the share beforehand, so that its tokens tell nothing of it. */
  readonly provisioned: boolean;
  readonly at: Date;
  readonly lifetimeMs: number;
  /** When the share itself ends. */
  readonly expiration?: Date;
  readonly jti: string;
}

/** What a token says of the group. */
export const groupClaims = ({ groups, ocm_group }: Claims) => ({ groups, ocm_group });

/** What can be told of a share and its group at a moment. */
export type Claims = ReturnType<typeof claimsAbout>;
/** Of a provisioned share without `ocm_ip`. */
export type AccessClaims = Omit<Claims, 'ocm_ip'> & Partial<Pick<Claims, 'ocm_ip'>>;

/** JOSE `typ`. RFC 9068 section 2.1, I-031 */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** The claims as JSON. In base64url, signed and behind "Bearer " they fit a header line of 8 KiB, a common limit. */
const LARGEST_CLAIMS = 5632;

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** Scheme and authority, no path: what verifiers find our discovery document by. I-032 */
export const issuerOf = (publicUrl: string, domain: Host): string => `${new URL(publicUrl).protocol}//${domain}`;

/**
 * The claims of an access token for a federation share. RFC 9068 section 2.2; OCM-IP, Token Issuance: with `ocm_ip` in a
 * self-contained one, without it where the share was provisioned (I-034). It never outlives the share (I-035). Throws `grant.expired` when the share is over, `token.too-large` when the members do not
 * fit (a token bound to one of them does).
 */
export function accessClaims(facts: AccessFacts): AccessClaims {
  const { ocm_ip: share, ...rest } = claimsAbout(facts);
  const claims = facts.provisioned ? rest : { ...rest, ocm_ip: share };
  const size = Buffer.byteLength(JSON.stringify(claims));
  if (size > LARGEST_CLAIMS) {
    throw new Fault('token.too-large', { providerId: facts.providerId, size, members: facts.members.length });
  }
  return claims;
}

/** The same of any size, for what is no token. Throws `grant.expired`. */
export function claimsAbout(facts: AccessFacts) {
  const { group, providerId, member, data, expiration } = facts;
  const iat = seconds(facts.at);
  const exp = Math.min(iat + Math.floor(facts.lifetimeMs / 1000), expiration ? seconds(expiration) : Infinity);
  if (exp <= iat) throw new Fault('grant.expired', { providerId });
  return {
    iss: facts.issuer,
    sub: identifierOf(facts.owner),
    aud: group,
    client_id: providerId,
    iat,
    exp,
    jti: facts.jti,
    groups: [group],
    ocm_group: {
      address: group,
      epoch: facts.epoch,
      recipient: facts.recipient,
      members: member === undefined ? [...facts.members] : [member],
      ...(member === undefined ? {} : { member }),
    },
    ocm_ip: {
      providerId,
      resourceType: data.resourceType,
      shareType: 'federation',
      name: data.name,
      ...(expiration ? { expiration: seconds(expiration) } : {}),
      protocol: { webdav: { uri: data.uri, permissions: [...data.permissions] } },
    },
  };
}

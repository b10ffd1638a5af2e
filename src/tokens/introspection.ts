import { identifierOf } from '../kernel/address.js';
import { type Claims, groupClaims } from './access-token.js';
import type { Grant } from './grant.js';

/** What is said of a token that opens nothing, whatever the cause. OCM-IP, Token Introspection */
export const INACTIVE = { active: false } as const;

/** JOSE `typ` of the signed form, and behind `application/` its media type. RFC 9701 section 5 */
export const INTROSPECTION_TYPE = 'token-introspection+jwt';

/** How long an answer about a secret holds, which has no end of its own. I-044 */
const HORIZON_MS = 300_000;

export type Introspection = typeof INACTIVE | ReturnType<typeof activeAnswer>;

interface Found {
  readonly grant: Grant;
  /** As the share and the group are at this moment. D-24 */
  readonly claims: Claims;
  /** Of the token itself; a secret has none. */
  readonly token?: { readonly iat: number; readonly exp: number; readonly jti: string };
  readonly at: Date;
  /** Whether whoever asks has the record of the share, which `client_id` names. */
  readonly hasRecord: boolean;
}

/**
 * What is said of one that does. `groups` and `ocm_group` are those of now, not of the epoch in which a token was issued;
 * it never holds longer than the token, nor than the share. Of the share it tells unless that is known already (I-043), to whoever has its record (I-006). RFC 7662 section 2.2, D-24
 */
export function activeAnswer({ grant, claims, token, at, hasRecord }: Found) {
  const horizon = Math.floor((at.getTime() + HORIZON_MS) / 1000);
  const ends = grant.expiresAt ? Math.floor(grant.expiresAt.getTime() / 1000) : Infinity;
  return {
    active: true as const,
    token_type: 'Bearer' as const,
    iss: claims.iss,
    sub: identifierOf(grant.owner),
    aud: claims.aud,
    client_id: grant.providerId,
    exp: Math.min(token?.exp ?? horizon, ends),
    ...(token ? { iat: token.iat, jti: token.jti } : {}),
    ...groupClaims(claims),
    ...(hasRecord ? {} : { ocm_ip: claims.ocm_ip }),
  };
}

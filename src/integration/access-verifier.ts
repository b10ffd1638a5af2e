import type { z } from 'zod';
import type { Host, OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { accessClaims, issuerClaim } from './access-claims.js';
import { IssuerKeys, type ReadJson } from './issuer-keys.js';
import { verifyJws } from './jws-key.js';
import { readJwt } from './jwt.js';

export interface AccessPolicy {
  /** The OCM servers whose self-contained tokens are believed. OCM-IP, Pairing: an empty list refuses everything. */
  readonly issuers: readonly Host[];
  /** Development on one machine only: issuers may be plain HTTP. */
  readonly plainHttp?: boolean;
}

type Claims = z.output<typeof accessClaims>;

/** What a verified token says. */
export interface Access {
  readonly issuer: Host;
  /** `<sub>@<issuer>`: whose resource it is. */
  readonly owner: string;
  /** Whom it was shared with: for a federation share the group. */
  readonly audience: OcmAddress;
  readonly expiresAt: Date;
  readonly groups: readonly string[];
  readonly group?: NonNullable<Claims['ocm_group']>;
  readonly share: NonNullable<Claims['ocm_ip']>;
}

/** Clocks differ; a token may seem to come from a little later. Expiry is taken at its word. */
const SKEW_MS = 60_000;

/**
 * Verifies access tokens that other servers issued, offline but for their public keys: what a third party needs to trust
 * a token of an OCM server. Self-contained tokens only. OCM-IP, Token Verification by the Protocol Server
 */
export class AccessVerifier {
  private readonly keys: IssuerKeys;

  constructor(
    private readonly policy: AccessPolicy,
    read: ReadJson,
    private readonly now: () => Date,
  ) {
    this.keys = new IssuerKeys({ read, now, plainHttp: policy.plainHttp === true });
  }

  /** Throws `access.*`; which one is for the log, a caller only learns that the token is invalid. */
  async verify(token: string): Promise<Access> {
    const jwt = readJwt(token);
    const issuer = this.allowed(jwt.claims);
    verifyJws(jwt, await this.keys.of(issuer.origin, jwt.kid));
    const read = accessClaims.safeParse(jwt.claims);
    if (!read.success) {
      throw new Fault('access.claims', { claims: read.error.issues.map(({ path }) => path.join('.')) });
    }
    const claims = read.data;
    this.inTime(claims);
    if (!claims.ocm_ip) throw new Fault('access.claims', { claims: ['ocm_ip'] });
    return {
      issuer: issuer.host,
      owner: `${claims.sub}@${issuer.host}`,
      audience: claims.aud,
      expiresAt: new Date(claims.exp * 1000),
      groups: claims.groups ?? [],
      ...(claims.ocm_group ? { group: claims.ocm_group } : {}),
      share: claims.ocm_ip,
    };
  }

  /** The issuer is believed in nothing but its name, and no key is fetched for one that is not allowed. */
  private allowed(claims: unknown): { host: Host; origin: string } {
    const read = issuerClaim.safeParse(claims);
    const url = read.success && URL.canParse(read.data.iss) ? new URL(read.data.iss) : undefined;
    const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && this.policy.plainHttp === true);
    if (!url || !secure || url.href !== `${url.origin}/`) throw new Fault('access.issuer', { what: 'form' });
    const name = this.policy.issuers.find((issuer) => issuer === url.host);
    if (name === undefined) throw new Fault('access.issuer', { issuer: url.host });
    return { host: name, origin: url.origin };
  }

  private inTime({ exp, iat, nbf, ocm_ip: share }: Claims): void {
    const at = this.now().getTime();
    const ends = Math.min(exp, share?.expiration ?? Infinity) * 1000;
    const begins = Math.max(iat ?? 0, nbf ?? 0) * 1000;
    if (ends <= at || begins > at + SKEW_MS) throw new Fault('access.expired', { exp, iat, nbf });
  }
}

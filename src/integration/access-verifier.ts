import type { Host, OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { accessClaims, issuerClaim, type VerifiedClaims } from './access-claims.js';
import { type AllowList, canonicalHost } from './allow-list.js';
import type { Introspector } from './introspector.js';
import type { IssuerKeys } from './issuer-keys.js';
import { verifyJws } from './jws.js';
import { isJwt, readJwt } from './jwt.js';
import { bind, dataOf } from './share-record.js';
import { hasExpired, type ShareRecords } from './share-records.js';
import { type SharedData, sharedData } from './shared-data.js';

export interface AccessVerifierOptions {
  readonly pairings: AllowList;
  readonly keys: Pick<IssuerKeys, 'of'>;
  readonly records: Pick<ShareRecords, 'find'>;
  /** Of the one pairing that is introspected. */
  readonly introspector?: Pick<Introspector, 'ask'>;
  readonly now: () => Date;
  /** Development on one machine only: issuers may be plain HTTP. */
  readonly plainHttp?: boolean;
}

/** What a verified credential says. */
export interface Access {
  readonly issuer: Host;
  /** `<sub>@<issuer>`: whose resource it is. */
  readonly owner: string;
  /** Whom it was shared with: for a federation share the group. */
  readonly audience: OcmAddress;
  readonly expiresAt: Date;
  readonly groups: readonly string[];
  readonly group?: NonNullable<VerifiedClaims['ocm_group']>;
  readonly share: SharedData;
  /** Where the share is known from. */
  readonly from: 'record' | 'token' | 'introspection';
}

interface Issuer {
  readonly host: Host;
  readonly origin: string;
}
interface Proved {
  readonly issuer: Host;
  readonly claims: VerifiedClaims;
  readonly by: 'token' | 'introspection';
}

/** Far more than a token with many members takes, or any secret. */
const LONGEST = 16_384;
/** Clocks differ; a token may seem to come from a little later. Expiry is taken at its word. */
const SKEW_MS = 60_000;

/**
 * Verifies what is shown to a protocol server: tokens of paired issuers, offline but for their public keys, and what an
 * issuer vouches for when asked. Nothing else opens anything, a `providerId` least of all.
 * OCM-IP, Token Verification by the Protocol Server, I-030, I-053
 */
export class AccessVerifier {
  constructor(private readonly options: AccessVerifierOptions) {}

  /**
   * `expiresAt` is when the credential expires by the word of whoever brought it (`access_token_ttl` of a form), I-052.
   * Throws `access.*`; which one is for the log, a caller only learns that the credential is invalid.
   */
  async verify(credential: string, hint: { readonly expiresAt?: Date } = {}): Promise<Access> {
    if (credential.length > LONGEST) throw new Fault('access.too-large', { length: credential.length });
    const proved = await this.prove(credential);
    const { issuer, claims } = proved;
    this.inTime(claims, hint.expiresAt);
    const { share, from } = await this.shareOf(proved);
    if (hasExpired(share, this.options.now())) throw new Fault('access.expired', { expiration: share.expiration });
    return {
      issuer,
      owner: `${claims.sub}@${issuer}`,
      audience: claims.aud,
      expiresAt: new Date(claims.exp * 1000),
      groups: claims.groups ?? [],
      ...(claims.ocm_group ? { group: claims.ocm_group } : {}),
      share,
      from,
    };
  }

  private async prove(credential: string): Promise<Proved> {
    if (!isJwt(credential)) return this.introspected(credential);
    const jwt = readJwt(credential);
    const issuer = this.paired(jwt.claims);
    const offline = this.allows(issuer.host, 'self-contained') || this.allows(issuer.host, 'provisioned');
    if (!offline) return this.introspected(credential);
    verifyJws(jwt, await this.options.keys.of(issuer.origin, jwt.kid));
    const read = accessClaims.safeParse(jwt.claims);
    if (read.success) return { issuer: issuer.host, claims: read.data, by: 'token' };
    throw new Fault('access.claims', { claims: read.error.issues.map(({ path }) => path.join('.')) });
  }

  /** The issuer is believed in nothing but its name, and no key is fetched for one that is not paired. I-046, I-051 */
  private paired(claims: unknown): Issuer {
    const issuer = issuerIn(claims, this.options.plainHttp === true);
    if (!this.options.pairings.has(issuer.host)) throw new Fault('access.issuer', { issuer: issuer.host });
    return issuer;
  }

  /** A secret does not say whose it is, so the one server that is asked may vouch for its own shares only. */
  private async introspected(credential: string): Promise<Proved> {
    const asked = this.options.pairings.introspected;
    if (asked === undefined || !this.options.introspector) throw new Fault('access.malformed', { what: 'no JWT' });
    const claims = await this.options.introspector.ask(credential);
    if (!claims) throw new Fault('access.inactive', { issuer: asked });
    const issuer = issuerIn(claims, this.options.plainHttp === true).host;
    if (issuer !== asked) throw new Fault('access.issuer', { issuer, asked });
    return { issuer, claims, by: 'introspection' };
  }

  private inTime({ exp, iat, nbf }: VerifiedClaims, hint: Date | undefined): void {
    const at = this.options.now().getTime();
    const begins = Math.max(iat ?? 0, nbf ?? 0) * 1000;
    if (exp * 1000 <= at) throw new Fault('access.expired', { exp });
    if (begins > at + SKEW_MS) throw new Fault('access.early', { iat, nbf });
    if (hint && Math.floor(hint.getTime() / 1000) !== exp) throw new Fault('access.expiry-differs', { exp });
  }

  /**
   * A record counts before anything that the token says of the share, and is looked up under the host whose key verified
   * it. OCM-IP, Token Verification, I-010, I-049, I-051
   */
  private async shareOf({ issuer, claims, by }: Proved): Promise<Pick<Access, 'share' | 'from'>> {
    const { client_id: providerId, ocm_ip: given } = claims;
    const looked = providerId !== undefined && this.allows(issuer, 'provisioned');
    const record = looked ? await this.options.records.find(issuer, providerId) : undefined;
    if (record) {
      bind(record, issuer, claims);
      return { share: dataOf(record), from: 'record' };
    }
    if (given === undefined) throw new Fault('access.no-share', { issuer, providerId });
    if (by === 'token' && !this.allows(issuer, 'self-contained')) throw new Fault('access.mode', { issuer });
    const share = sharedData.safeParse(given);
    if (share.success) return { share: share.data, from: by };
    throw new Fault('access.claims', { claims: share.error.issues.map(({ path }) => ['ocm_ip', ...path].join('.')) });
  }

  private allows(...[domain, mode]: Parameters<AllowList['allows']>): boolean {
    return this.options.pairings.allows(domain, mode);
  }
}

/** Scheme and authority and nothing more, of https. OCM-IP, Token Verification, I-046. Throws `access.issuer`. */
function issuerIn(claims: unknown, plainHttp: boolean): Issuer {
  const read = issuerClaim.safeParse(claims);
  const url = read.success && URL.canParse(read.data.iss) ? new URL(read.data.iss) : undefined;
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && plainHttp);
  if (!url || !secure || url.href !== `${url.origin}/`) throw new Fault('access.issuer', { what: 'form' });
  try {
    return { host: canonicalHost(url.host), origin: url.origin };
  } catch (cause) {
    throw new Fault('access.issuer', { what: 'host' }, cause);
  }
}

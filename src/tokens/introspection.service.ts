import { Injectable } from '@nestjs/common';
import { createLocalJWKSet, errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import type { JwkSet } from '../ocm/jwk-set.js';
import { addressField } from '../ocm/wire-body.js';
import { ServerKeysService } from '../ocm/server-keys.service.js';
import type { Allowance } from '../platform/allowance.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { Metrics } from '../platform/metrics.service.js';
import { RateLimits } from '../platform/rate-limits.repository.js';
import { TransactionService } from '../platform/transaction.service.js';
import { Trust } from '../trust/trust.service.js';
import { ACCESS_TOKEN_TYPE, claimsAbout, issuerOf } from './access-token.js';
import { type Asked, GrantRepository } from './grant.repository.js';
import { activeAnswer, INACTIVE, type Introspection, INTROSPECTION_TYPE } from './introspection.js';
import { ShareRecordRepository } from './share-record.repository.js';
import { TokensService } from './tokens.service.js';

/** What of a token of ours is looked at, after its signature. */
const ownClaims = z.object({
  client_id: z.string(),
  iat: z.number(),
  exp: z.number(),
  jti: z.string(),
  ocm_group: z.object({ member: addressField.optional() }),
});

interface Shown {
  readonly asked: Asked;
  readonly member?: OcmAddress;
  readonly token?: { readonly iat: number; readonly exp: number; readonly jti: string };
}

/** What one caller may ask in vain. OCM-IP, Token Introspection. I-041 */
const FAILURES: Allowance = { everyMs: 1_000, burst: 60 };
const failuresOf = (caller: string): string => `introspection by ${caller} in vain`;

const isJwt = (token: string): boolean => token.split('.').length === 3;

/** Says whether what somebody shows opens anything now. RFC 7662; OCM-IP, Token Introspection; D-24 */
@Injectable()
export class IntrospectionService {
  private known: { readonly of: JwkSet; readonly find: ReturnType<typeof createLocalJWKSet> } | undefined;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly grants: GrantRepository,
    private readonly records: ShareRecordRepository,
    private readonly limits: RateLimits,
    private readonly tokens: TokensService,
    private readonly keys: ServerKeysService,
    private readonly trust: Trust,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /**
   * Of a token, or of the secret of a share that is shown as it is (I-039). Whatever is wrong with it the answer is the same
   * (I-042); which cause it was is for the log and the metrics. Throws `introspection.too-many` when the caller has asked in vain too often.
   */
  async introspect(caller: string, token: string): Promise<Introspection> {
    const wait = await this.db.statement((tx) => this.limits.wait(tx, failuresOf(caller), FAILURES, this.clock.now()));
    if (wait > 0) throw new Fault('introspection.too-many', { caller, retryAfter: Math.ceil(wait / 1000) });
    try {
      const { asked, member, token: times } = await this.read(token);
      const at = this.clock.now();
      const { grant } = asked;
      // What was given before opens nothing while the server that has it may not take part.
      const { kind } = await this.trust.standing(grant.recipient);
      if (kind !== 'allowed') throw new Fault('grant.peer-refused', { recipient: grant.recipient });
      const claims = claimsAbout(this.tokens.factsOf(asked, grant.recipient, member));
      const hasRecord =
        grant.provisioned && (await this.db.statement((tx) => this.records.isStored(tx, grant.providerId, caller)));
      this.told('active', caller, { providerId: grant.providerId });
      return activeAnswer({ grant, claims, at, hasRecord, ...(times ? { token: times } : {}) });
    } catch (error) {
      if (!isFault(error) || error.retry) throw error;
      await this.db.statement((tx) => this.limits.spend(tx, failuresOf(caller), FAILURES, 1, this.clock.now()));
      this.told(error.code, caller, error.facts);
      return INACTIVE;
    }
  }

  /** The answer as a JWT for the caller alone, which can be shown to others as evidence. RFC 9701 section 5 */
  async signed(caller: string, answer: Introspection): Promise<string> {
    const { kid, alg, privateKey } = this.keys.token;
    return new SignJWT({ token_introspection: answer })
      .setProtectedHeader({ alg, kid, typ: INTROSPECTION_TYPE })
      .setIssuer(issuerOf(this.config.publicUrl, this.config.domain))
      .setAudience(caller)
      .setIssuedAt(this.clock.now())
      .sign(privateKey);
  }

  private async read(token: string): Promise<Shown> {
    if (isJwt(token)) return this.readToken(token);
    const asked = await this.db.statement((tx) => this.grants.examine(tx, { secret: token }));
    if (!asked) throw new Fault('grant.unknown');
    return { asked };
  }

  private async readToken(token: string): Promise<Shown> {
    const claims = ownClaims.safeParse(await this.verified(token));
    if (!claims.success) throw new Fault('introspection.not-ours', { reason: 'claims' });
    const { client_id: providerId, ocm_group: group, ...times } = claims.data;
    const asked = await this.db.statement((tx) => this.grants.examine(tx, { providerId }));
    if (!asked) throw new Fault('grant.unknown', { providerId });
    return { asked, token: times, ...(group.member ? { member: group.member } : {}) };
  }

  /** Of this server, of now, and signed with one of its published keys by the algorithm of that key. RFC 9068 section 4 */
  private async verified(token: string): Promise<unknown> {
    try {
      const { payload } = await jwtVerify(token, this.ownKeys(), {
        issuer: issuerOf(this.config.publicUrl, this.config.domain),
        typ: ACCESS_TOKEN_TYPE,
        currentDate: this.clock.now(),
      });
      return payload;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new Fault('introspection.not-ours', { reason: error.code });
    }
  }

  /** Made anew when the keys have changed. */
  private ownKeys(): ReturnType<typeof createLocalJWKSet> {
    const { published } = this.keys;
    if (this.known?.of !== published) {
      this.known = { of: published, find: createLocalJWKSet({ keys: [...published.keys] }) };
    }
    return this.known.find;
  }

  private told(cause: string, caller: string, facts: object): void {
    this.metrics.introspected(cause);
    this.log.info({ event: 'token.introspected', caller, cause, ...facts }, 'somebody asked about a token');
  }
}

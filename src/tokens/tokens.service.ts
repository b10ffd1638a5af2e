import { Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';
import type { Host, OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault, isFault } from '../kernel/fault.js';
import { TokenKeys } from '../ocm/server-keys.service.js';
import type { Allowance } from '../platform/allowance.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { Metrics } from '../platform/metrics.service.js';
import { RateLimits } from '../platform/rate-limits.repository.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { ACCESS_TOKEN_TYPE, type AccessClaims, accessClaims, type AccessFacts, issuerOf } from './access-token.js';
import { type Grant, judgeExchange } from './grant.js';
import { type Asked, GrantRepository } from './grant.repository.js';
import { ProvisioningService } from './provisioning.service.js';
import type { TokenForm } from './token-form.js';

export type GrantTerms = Omit<Grant, 'providerId' | 'provisioned' | 'delegated' | 'grantedAt' | 'revokedAt'> & {
  /** The id of the resource, which the `providerId` must not be. */
  readonly resourceId: string;
  /** Under which protocol servers were told of the share; nobody was when absent. */
  readonly provisionedAs?: string;
};

/** What a member server is given to ask with. The secret leaves this server in its share notice and is not kept. */
export interface Credential {
  readonly providerId: string;
  readonly sharedSecret: string;
}

/** OCM core, Code Flow: the answer of the token endpoint. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
}

/** What one server may ask for in vain, and how many tokens one secret is exchanged for. */
const GUESSES: Allowance = { everyMs: 1_000, burst: 100 };
const TOKENS: Allowance = { everyMs: 100, burst: 1_000 };
const tooMany = (waitMs: number, facts: object) =>
  new Fault('token.too-many', { ...facts, retryAfter: Math.ceil(waitMs / 1000) });
const guessesOf = (peer: Host): string => `tokens for ${peer} in vain`;

/** Secrets for member servers, and what they are exchanged for. */
@Injectable()
export class TokensService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly grants: GrantRepository,
    private readonly limits: RateLimits,
    private readonly provisioning: ProvisioningService,
    private readonly keys: TokenKeys,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /**
   * A providerId and a secret for one member server and share (OCM-MLS R-204). All tokens for it carry that providerId
   * as `client_id` (I-029).
   */
  async grant(tx: Tx, { resourceId, provisionedAs, ...terms }: GrantTerms): Promise<Credential> {
    const providerId = provisionedAs ?? this.newProviderId(resourceId);
    const provisioned = provisionedAs !== undefined;
    const minted = provisioned ? await this.provisioning.granted(tx, providerId) : undefined;
    const sharedSecret = minted ?? this.dice.secret();
    const grant = { ...terms, provisioned, delegated: minted !== undefined, providerId, grantedAt: this.clock.now() };
    await this.grants.add(tx, grant, sharedSecret);
    return { providerId, sharedSecret };
  }

  /** New each time (OCM-MLS R-161), and never the id of the resource. */
  newProviderId(resourceId: string): string {
    const providerId = this.dice.uuid();
    return providerId === resourceId ? this.newProviderId(resourceId) : providerId;
  }

  /**
   * Another secret for the same, both good until `settle` says what became of it; none for a grant that is over, or whose
   * secret a Token Server minted. R-181
   */
  async renew(tx: Tx, providerId: string): Promise<string | undefined> {
    const sharedSecret = this.dice.secret();
    return (await this.grants.offer(tx, providerId, sharedSecret)) ? sharedSecret : undefined;
  }

  /** Once the new secret was delivered the old one dies; one that was not delivered never counts. OCM-MLS R-185 */
  settle(tx: Tx, providerId: string, delivered: boolean): Promise<void> {
    return delivered ? this.grants.exchange(tx, providerId) : this.grants.takeBack(tx, providerId);
  }

  /** The grant goes on until `arrived` says that the server has another one for the same share. */
  letGo(tx: Tx, providerId: string): Promise<void> {
    return this.grants.letGo(tx, providerId);
  }

  async arrived(tx: Tx, shareId: string, recipient: Host): Promise<void> {
    const gone = await this.grants.revokeOutgoing(tx, shareId, recipient, this.clock.now());
    for (const providerId of gone) await this.provisioning.revoke(tx, { providerId });
  }

  /** No token is issued any more; tokens that were issued run out. OCM-MLS R-201 */
  async revoke(tx: Tx, providerId: string): Promise<void> {
    await this.grants.revoke(tx, providerId, this.clock.now());
    await this.provisioning.revoke(tx, { providerId });
  }

  /** Nothing of a share is left to a server: neither what is on its way out, nor what was made ready for it. */
  async withdraw(tx: Tx, shareId: string, recipient: Host): Promise<void> {
    await this.grants.revokeOutgoing(tx, shareId, recipient, this.clock.now());
    await this.provisioning.revoke(tx, { shareId, recipient });
  }

  /** Tokens that were issued before say what they said until they expire. */
  async changePermissions(tx: Tx, shareId: string, permissions: readonly string[]): Promise<void> {
    await this.grants.changePermissions(tx, shareId, permissions);
    await this.provisioning.change(tx, shareId, permissions);
  }

  /** Its secrets; what protocol servers know is withdrawn with each server. */
  revokeShare(tx: Tx, shareId: string): Promise<void> {
    return this.grants.revokeShare(tx, shareId, this.clock.now());
  }

  /**
   * A token for the server that signed the request, as the group is at this moment. Throws `token.*` and `grant.*`; which
   * one is for the log and the metrics, since a caller learns only that the grant is invalid. `expires_in` is what the
   * token says itself, minutes if nobody configured more (I-033, I-036). Whoever guesses has to wait after a hundred
   * secrets in vain.
   */
  async exchange(from: Host, form: TokenForm): Promise<TokenAnswer> {
    try {
      const guessed = await this.db.statement((tx) => this.limits.wait(tx, guessesOf(from), GUESSES, this.clock.now()));
      if (guessed > 0) throw tooMany(guessed, { peer: from });
      if (form.clientId !== from) throw new Fault('token.other-client', { peer: from, clientId: form.clientId });
      const claims = await this.db.statement((tx) => this.claims(tx, from, form));
      const { client_id: providerId } = claims;
      const waitMs = await this.spend(`tokens of ${providerId}`, TOKENS);
      if (waitMs > 0) throw tooMany(waitMs, { peer: from, providerId });
      const token = await this.sign(claims);
      this.metrics.tokenAnswered('ok');
      this.log.info(
        { event: 'token.issued', peer: from, group: claims.aud, providerId: claims.client_id, jti: claims.jti },
        'an access token was issued',
      );
      return { access_token: token, token_type: 'Bearer', expires_in: claims.exp - claims.iat };
    } catch (error) {
      const cause = isFault(error) ? error.code : 'internal';
      if (cause.startsWith('grant.')) await this.spend(guessesOf(from), GUESSES);
      this.metrics.tokenAnswered(cause);
      this.log.warn({ event: 'token.refused', peer: from, cause, err: error }, 'an access token was refused');
      throw error;
    }
  }

  private async claims(tx: Tx, from: Host, { code, member }: TokenForm): Promise<AccessClaims> {
    const asked = await this.grants.ask(tx, code, from);
    if (!asked) throw new Fault('grant.unknown', { peer: from });
    return accessClaims(this.factsOf(asked, from, member));
  }

  private spend(subject: string, allowance: Allowance): Promise<number> {
    return this.db.statement((tx) => this.limits.spend(tx, subject, allowance, 1, this.clock.now()));
  }

  /**
   * What a token of the grant would say at this moment, when `from` asked for one. Throws `grant.*`.
   */
  factsOf({ grant, standing }: Asked, from: Host, member: OcmAddress | undefined): AccessFacts {
    const at = this.clock.now();
    const verdict = judgeExchange(grant, { from, at, ...(member ? { member } : {}) }, standing);
    if (verdict.kind === 'refuse') {
      throw new Fault(verdict.cause, { peer: from, group: grant.group, providerId: grant.providerId });
    }
    return {
      issuer: issuerOf(this.config.publicUrl, this.config.domain),
      owner: grant.owner,
      group: grant.group,
      epoch: verdict.epoch,
      providerId: grant.providerId,
      recipient: from,
      members: verdict.members,
      ...(member ? { member } : {}),
      data: grant.data,
      provisioned: grant.provisioned,
      at,
      lifetimeMs: this.config.tokenLifetimeMs,
      ...(grant.expiresAt ? { expiration: grant.expiresAt } : {}),
      jti: this.dice.uuid(),
    };
  }

  private async sign(claims: AccessClaims): Promise<string> {
    const { kid, alg, privateKey } = this.keys.current();
    return new SignJWT({ ...claims }).setProtectedHeader({ alg, kid, typ: ACCESS_TOKEN_TYPE }).sign(privateKey);
  }
}

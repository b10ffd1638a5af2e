import { Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';
import type { Host, OcmAddress } from '../kernel/address.js';
import { toBase64url } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault, isFault } from '../kernel/fault.js';
import { TokenKeys } from '../ocm/server-keys.service.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { Metrics } from '../platform/metrics.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { ACCESS_TOKEN_TYPE, type AccessClaims, accessClaims, type AccessFacts, issuerOf } from './access-token.js';
import { type Grant, judgeExchange } from './grant.js';
import { type Asked, GrantRepository } from './grant.repository.js';
import type { TokenForm } from './token-form.js';

export type GrantTerms = Omit<Grant, 'providerId' | 'grantedAt' | 'revokedAt'> & {
  /** The id of the resource, which the `providerId` must not be. */
  readonly resourceId: string;
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

const SECRET_BYTES = 32;

/** Secrets for member servers, and what they are exchanged for. */
@Injectable()
export class TokensService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly grants: GrantRepository,
    private readonly keys: TokenKeys,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /**
   * A providerId and a secret for one member server and share (OCM-MLS R-204). The providerId is new each time
   * and never the id of the resource.
   */
  async grant(tx: Tx, { resourceId, ...terms }: GrantTerms): Promise<Credential> {
    let providerId = this.dice.uuid();
    while (providerId === resourceId) providerId = this.dice.uuid();
    const sharedSecret = toBase64url(this.dice.bytes(SECRET_BYTES));
    await this.grants.add(tx, { ...terms, providerId, grantedAt: this.clock.now() }, sharedSecret);
    return { providerId, sharedSecret };
  }

  /** Another secret for the same, both good until `settle` says what became of it; none for a grant that is over. R-181 */
  async renew(tx: Tx, providerId: string): Promise<string | undefined> {
    const sharedSecret = toBase64url(this.dice.bytes(SECRET_BYTES));
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

  arrived(tx: Tx, shareId: string, recipient: Host): Promise<void> {
    return this.grants.revokeOutgoing(tx, shareId, recipient, this.clock.now());
  }

  /** No token is issued any more; tokens that were issued run out. OCM-MLS R-201 */
  revoke(tx: Tx, providerId: string): Promise<void> {
    return this.grants.revoke(tx, providerId, this.clock.now());
  }

  /** Tokens that were issued before say what they said until they expire. */
  changePermissions(tx: Tx, shareId: string, permissions: readonly string[]): Promise<void> {
    return this.grants.changePermissions(tx, shareId, permissions);
  }

  revokeShare(tx: Tx, shareId: string): Promise<void> {
    return this.grants.revokeShare(tx, shareId, this.clock.now());
  }

  /**
   * A token for the server that signed the request, as the group is at this moment. Throws `token.*` and `grant.*`; which
   * one is for the log and the metrics, since a caller learns only that the grant is invalid. `expires_in` is what the
   * token says itself, minutes if nobody configured more (I-033, I-036).
   */
  async exchange(from: Host, form: TokenForm): Promise<TokenAnswer> {
    try {
      if (form.clientId !== from) throw new Fault('token.other-client', { peer: from, clientId: form.clientId });
      const claims = await this.db.statement((tx) => this.claims(tx, from, form));
      const token = await this.sign(claims);
      this.metrics.tokenAnswered('ok');
      this.log.info(
        { event: 'token.issued', peer: from, group: claims.aud, providerId: claims.client_id, jti: claims.jti },
        'an access token was issued',
      );
      return { access_token: token, token_type: 'Bearer', expires_in: claims.exp - claims.iat };
    } catch (error) {
      const cause = isFault(error) ? error.code : 'internal';
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

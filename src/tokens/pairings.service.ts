import { Injectable } from '@nestjs/common';
import { host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault, isFault } from '../kernel/fault.js';
import type { Jwk } from '../ocm/jwk-set.js';
import { ServerKeysService } from '../ocm/server-keys.service.js';
import { configuredUrl, peerUrl } from '../ocm/peer-url.js';
import { addressPolicy } from '../ocm/public-ip.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { TransactionService } from '../platform/transaction.service.js';
import type { Pairing } from './pairing.js';
import { PairingRepository } from './pairing.repository.js';

export type NewPairing = Omit<Pairing, 'createdAt'>;

/** Which protocol servers serve resources of this server. OCM-IP, Pairing */
@Injectable()
export class PairingsService {
  private readonly policy;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly pairings: PairingRepository,
    private readonly keys: ServerKeysService,
    private readonly audit: AuditLog,
  ) {
    this.policy = addressPolicy(config);
  }

  /**
   * With a secret where one is needed, which is shown now and never again. Throws `pairing.exists`, `host.malformed`,
   * `pairing.url-refused` for a URL that is nothing to connect to, `pairing.kid-refused` for keys of a Token Server that are
   * not named after this one.
   */
  async add({ clientId, ...terms }: NewPairing): Promise<{ readonly pairing: Pairing; readonly secret?: string }> {
    const { method, integrationApi, tokenEndPoint, jwks } = terms;
    const name = method === 'signature' ? host(clientId) : clientId;
    const secret = method === 'client_secret_basic' ? this.dice.secret() : undefined;
    const pairing: Pairing = { ...terms, clientId: name, createdAt: this.clock.now() };
    const { privateTargets } = this.config;
    if (integrationApi !== undefined)
      requireReachable(() => configuredUrl(integrationApi, this.policy, privateTargets));
    // Other servers are told to ask it.
    if (tokenEndPoint !== undefined) requireReachable(() => peerUrl(tokenEndPoint, this.policy));
    if (tokenEndPoint !== undefined) this.requireOwnNames(jwks?.keys ?? []);
    await this.db.run(async (tx) => {
      if (!(await this.pairings.add(tx, pairing, secret))) throw new Fault('pairing.exists', { clientId });
      await this.audit.record(tx, {
        act: 'pairing.made',
        subject: name,
        facts: { method, ...(integrationApi === undefined ? {} : { integrationApi }) },
      });
    });
    return { pairing, ...(secret === undefined ? {} : { secret }) };
  }

  /** What it signs is looked up in our JWK Set, so that its keys are named like ours, and not as ours. */
  private requireOwnNames(keys: readonly Jwk[]): void {
    const ours = this.keys.published.keys.map(({ kid }) => kid);
    const wrong = keys
      .map(({ kid }) => kid)
      .filter((kid) => !kid.startsWith(`${this.config.domain}#`) || ours.includes(kid));
    if (wrong.length > 0) throw new Fault('pairing.kid-refused', { kids: wrong });
  }

  list(): Promise<Pairing[]> {
    return this.db.statement((tx) => this.pairings.all(tx));
  }

  /** It may ask no more from this moment. Throws `pairing.unknown`. */
  async remove(clientId: string): Promise<void> {
    await this.db.run(async (tx) => {
      if (!(await this.pairings.remove(tx, clientId))) throw new Fault('pairing.unknown', { clientId });
      await this.audit.record(tx, { act: 'pairing.ended', subject: clientId });
    });
  }
}

function requireReachable(judge: () => URL): void {
  try {
    judge();
  } catch (error) {
    if (!isFault(error, 'peer.url-refused')) throw error;
    throw new Fault('pairing.url-refused', error.facts);
  }
}

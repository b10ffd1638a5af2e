import { Inject, Injectable } from '@nestjs/common';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { wipe } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Config } from '../platform/config.js';
import { HighWater } from '../platform/high-water.provider.js';
import { Metrics } from '../platform/metrics.service.js';
import { Poller } from '../platform/poller.service.js';
import { RateLimits } from '../platform/rate-limits.repository.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { ClientRepository } from './client.repository.js';
import { MISS_COST, PER_SERVER, PER_SERVER_AND_USER, PER_USER, STOCK } from './key-package-limits.js';
import { KeyPackageRepository } from './key-package.repository.js';
import { JoinedWelcomeRepository } from './joined-welcome.repository.js';
import { type KeyPackageKind, makeKeyPackage } from './own-key-package.js';
import type { Suite } from './suite.js';
import { SUITE } from './suite.provider.js';

/** What a server that asks gets. */
export type HandOut =
  | { readonly kind: 'given'; readonly keyPackage: Uint8Array }
  | { readonly kind: 'none' }
  | { readonly kind: 'limited'; readonly waitMs: number };

export const STOCK_WORKER = 'mls.key-package-stock';
const DAY = 86_400_000;
/** What is given must stay valid for a while, until it has been committed. */
const VALID_FOR = 3 * DAY;
/** A KeyPackage in stock is replaced while it is still good to give. */
const REPLACED_BEFORE = 7 * DAY;
/** A Welcome may be late: private keys live longer than what was published. */
const LATE_WELCOME = 7 * DAY;
/** Longer than any KeyPackage of ours can be used. */
const WELCOMES_REMEMBERED = 120 * DAY;
const USERS_PER_TURN = 8;

const serverOf = (to: Host): string => `KeyPackages to server ${to}`;

/** The KeyPackages of the users of this domain: made ahead, given once. */
@Injectable()
export class KeyPackagesService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly poller: Poller,
    private readonly metrics: Metrics,
    private readonly clients: ClientRepository,
    private readonly keyPackages: KeyPackageRepository,
    private readonly limits: RateLimits,
    private readonly welcomes: JoinedWelcomeRepository,
    private readonly highWater: HighWater,
    @Inject(SUITE) private readonly suite: Suite,
  ) {
    metrics.beforeReading(() => this.measure());
  }

  /**
   * For another server. An unknown user looks like one without KeyPackages, and asking for either costs the same.
   * OCM-MLS, D-27
   */
  handOut(userId: OcmAddress, to: Host): Promise<HandOut> {
    return this.db.run(async (tx) => {
      const waitMs = await this.spend(tx, userId, to);
      if (waitMs > 0) return { kind: 'limited', waitMs };
      const keyPackage = hostOf(userId) === this.config.domain ? await this.take(tx, userId, to) : undefined;
      if (keyPackage) return { kind: 'given', keyPackage };
      await this.limits.spend(tx, serverOf(to), PER_SERVER, MISS_COST, this.clock.now());
      return { kind: 'none' };
    });
  }

  /** For this server itself. */
  handOutHere(userId: OcmAddress): Promise<Uint8Array | undefined> {
    return this.db.run((tx) => this.take(tx, userId, this.config.domain));
  }

  /** Makes what some users lack. Returns whether anybody lacked something. OCM-MLS */
  replenish(): Promise<boolean> {
    const until = new Date(this.clock.now().getTime() + REPLACED_BEFORE);
    const look = (tx: Tx) => this.keyPackages.isShort(tx, STOCK, until);
    return this.db.runIf(look, async (tx) => {
      const shortages = await this.keyPackages.shortages(tx, STOCK, until, USERS_PER_TURN);
      for (const { address, single, lastResort } of shortages) {
        await this.make(tx, address, 'last-resort', lastResort);
        await this.make(tx, address, 'single', single);
      }
      return shortages.length > 0;
    });
  }

  /** How many users lack something that the next turns make. */
  async short(): Promise<number> {
    const until = new Date(this.clock.now().getTime() + REPLACED_BEFORE);
    return (await this.db.run((tx) => this.keyPackages.shortages(tx, STOCK, until, 1_000))).length;
  }

  /** Makes `count` KeyPackages with the user's own key. OCM-MLS R-040 */
  async make(tx: Tx, address: OcmAddress, kind: KeyPackageKind, count: number): Promise<void> {
    const signatureKey = count > 0 ? await this.clients.signatureKey(tx, address) : undefined;
    if (!signatureKey) return;
    const now = this.clock.now();
    for (let made = 0; made < count; made++) {
      await this.keyPackages.add(tx, await makeKeyPackage({ address, kind, signatureKey, now }, this.suite), now);
    }
    this.db.afterCommit(tx, () => wipe(signatureKey));
  }

  /** One for the admins of a group, who replace a leaf with it; nobody else gets it. OCM-MLS R-126 */
  async makeGiven(tx: Tx, address: OcmAddress): Promise<Uint8Array | undefined> {
    const signatureKey = await this.clients.signatureKey(tx, address);
    if (!signatureKey) return undefined;
    const now = this.clock.now();
    const own = await makeKeyPackage({ address, kind: 'single', signatureKey, now }, this.suite);
    await this.keyPackages.add(tx, own, now, 'admins');
    this.db.afterCommit(tx, () => wipe(signatureKey));
    return own.message;
  }

  /** After the database went back: what it has in stock may have been given away. OCM-MLS R-041 */
  async withdraw(tx: Tx): Promise<void> {
    await this.keyPackages.withdraw(tx, this.clock.now());
    this.db.afterCommit(tx, () => this.poller.wake(STOCK_WORKER));
  }

  /** Forgets what can matter no more. */
  async tidy(): Promise<void> {
    const ago = (ms: number) => new Date(this.clock.now().getTime() - ms);
    await this.db.statement((tx) => this.keyPackages.removeExpired(tx, ago(LATE_WELCOME)));
    await this.db.statement((tx) => this.welcomes.removeBefore(tx, ago(WELCOMES_REMEMBERED)));
  }

  private async take(tx: Tx, userId: OcmAddress, to: Host): Promise<Uint8Array | undefined> {
    const now = this.clock.now();
    const taken = await this.keyPackages.handOut(tx, userId, to, now, new Date(now.getTime() + VALID_FOR));
    if (!taken) return undefined;
    this.db.afterCommit(tx, () => this.poller.wake(STOCK_WORKER));
    if (to !== this.config.domain) await this.highWater.numberAnswer(tx, this.db);
    return taken;
  }

  /** In one order always, so that two requests never wait for each other. */
  private async spend(tx: Tx, userId: OcmAddress, to: Host): Promise<number> {
    const now = this.clock.now();
    for (const [subject, allowance] of [
      [serverOf(to), PER_SERVER],
      [`${serverOf(to)} user ${userId}`, PER_SERVER_AND_USER],
      [`KeyPackages of user ${userId}`, PER_USER],
    ] as const) {
      const waitMs = await this.limits.spend(tx, subject, allowance, 1, now);
      if (waitMs > 0) return waitMs;
    }
    return 0;
  }

  private async measure(): Promise<void> {
    const counts = await this.db.statement((tx) => this.keyPackages.count(tx));
    for (const kind of ['single', 'last-resort'] as const) {
      this.metrics.keyPackageStock(kind, counts.find((one) => one.kind === kind)?.count ?? 0);
    }
  }
}

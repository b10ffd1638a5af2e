import { Inject, Injectable } from '@nestjs/common';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { wipe } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { Config } from '../platform/config.js';
import { Poller } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { type ClientPage, ClientRepository, type MlsClient } from './client.repository.js';
import { KeyPackagesService, STOCK_WORKER } from './key-packages.service.js';
import type { Suite } from './suite.js';
import { SUITE } from './suite.provider.js';

/** The users of this domain, made known by the platform behind us (D-27). Each is an MLS client of its own. */
@Injectable()
export class ClientsService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly poller: Poller,
    private readonly clients: ClientRepository,
    private readonly keyPackages: KeyPackagesService,
    @Inject(SUITE) private readonly suite: Suite,
  ) {}

  /**
   * A user with a distinct signing key (OCM-MLS R-011), who can be invited at once by the last-resort KeyPackage; the
   * stock follows. Throws `client.foreign` for an address of another domain, `client.exists`.
   */
  async add(tx: Tx, address: OcmAddress, displayName: string): Promise<MlsClient> {
    if (hostOf(address) !== this.config.domain) throw new Fault('client.foreign', { address });
    const { signKey } = await this.suite.signature.keygen();
    const client = { address, displayName, createdAt: this.clock.now() };
    if (!(await this.clients.add(tx, client, signKey))) throw new Fault('client.exists', { address });
    wipe(signKey);
    await this.keyPackages.make(tx, address, 'last-resort', 1);
    this.db.afterCommit(tx, () => this.poller.wake(STOCK_WORKER));
    return { ...client, active: true };
  }

  /** Nobody else changes the user, or lets the user join a group, until the transaction ends. */
  lock(tx: Tx, address: OcmAddress): Promise<MlsClient | undefined> {
    return this.clients.lock(tx, address);
  }

  /** Whether the user is known and not active, which stays so until the transaction ends. */
  isDeactivated(tx: Tx, address: OcmAddress): Promise<boolean> {
    return this.clients.isDeactivated(tx, address);
  }

  find(tx: Tx, address: OcmAddress): Promise<MlsClient | undefined> {
    return this.clients.byAddress(tx, address);
  }

  /** In the order of their addresses, those behind `after`. */
  list(tx: Tx, most: number, after?: string): Promise<MlsClient[]> {
    return this.clients.list(tx, most, after);
  }

  /** Those with certain names, or from a certain one on, in the order of their addresses. */
  page(tx: Tx, page: ClientPage): Promise<MlsClient[]> {
    return this.clients.page(tx, page);
  }

  count(tx: Tx): Promise<number> {
    return this.clients.count(tx);
  }

  /** Throws `client.unknown`. */
  async rename(tx: Tx, address: OcmAddress, displayName: string): Promise<void> {
    if (!(await this.clients.rename(tx, address, displayName))) throw new Fault('client.unknown', { address });
  }

  /**
   * The user can be invited no more until made active again. KeyPackages that were given away stay good for their
   * Welcomes.
   */
  async setActive(tx: Tx, address: OcmAddress, active: boolean): Promise<void> {
    await this.clients.setDeactivated(tx, address, active ? null : this.clock.now());
    if (active) this.db.afterCommit(tx, () => this.poller.wake(STOCK_WORKER));
  }

  /**
   * The user can be invited no more. Leaves in groups are not touched: they end by a Commit. Throws `client.unknown`.
   */
  async remove(tx: Tx, address: OcmAddress): Promise<void> {
    if (!(await this.clients.remove(tx, address))) throw new Fault('client.unknown', { address });
  }
}

import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import type { MlsClient } from '../mls/client.repository.js';
import { ClientsService } from '../mls/clients.service.js';
import { LeavingService } from '../groups/leaving.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Idempotency, type IdempotencyKey } from '../platform/idempotency.repository.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';

type Named = Pick<MlsClient, 'displayName' | 'active'>;

/** The users of this domain, as the file platform makes them known (D-27). */
@Injectable()
export class UsersService {
  constructor(
    private readonly db: TransactionService,
    private readonly clients: ClientsService,
    private readonly leaving: LeavingService,
    private readonly idempotency: Idempotency,
    private readonly audit: AuditLog,
  ) {}

  /** Throws `client.foreign`, `client.exists`. */
  async add(address: OcmAddress, displayName: string, key?: IdempotencyKey): Promise<MlsClient> {
    await this.db.run((tx) =>
      this.idempotency.once(tx, key, async () => (await this.addIn(tx, address, displayName)).address),
    );
    return this.get(address);
  }

  /** Whether the user is known already does not matter; says whether it was new. Throws `client.foreign`. */
  put(address: OcmAddress, displayName: string): Promise<{ user: MlsClient; isNew: boolean }> {
    return this.db.run(async (tx) => {
      const known = await this.clients.lock(tx, address);
      if (!known) await this.addIn(tx, address, displayName);
      else await this.change(tx, known, { displayName, active: known.active });
      return { user: await this.found(tx, address), isNew: !known };
    });
  }

  /** Throws `client.unknown`. */
  get(address: OcmAddress): Promise<MlsClient> {
    return this.db.statement((tx) => this.found(tx, address));
  }

  /** In the order of their addresses. */
  list(most: number, after?: string): Promise<MlsClient[]> {
    return this.db.statement((tx) => this.clients.list(tx, most, after));
  }

  /** Throws `client.unknown`. Memberships end by a Commit, and are not touched. */
  remove(address: OcmAddress): Promise<void> {
    return this.db.run((tx) => this.removeIn(tx, address));
  }

  /** Throws `client.unknown`. Nobody else changes the user until the transaction ends. */
  async hold(tx: Tx, address: OcmAddress): Promise<MlsClient> {
    const client = await this.clients.lock(tx, address);
    if (!client) throw new Fault('client.unknown', { address });
    return client;
  }

  /** Throws as `add`. */
  async addIn(tx: Tx, address: OcmAddress, displayName: string): Promise<MlsClient> {
    const client = await this.clients.add(tx, address, displayName);
    await this.audit.record(tx, { act: 'user.made', subject: address });
    return client;
  }

  /**
   * Of a user who is held. Whoever is made inactive can be invited no more and leaves all groups; the last admin of a group
   * leaves it once another is appointed. Whoever is made active again stays where the leave was not proposed yet.
   */
  async change(tx: Tx, user: MlsClient, { displayName, active }: Named): Promise<void> {
    const { address } = user;
    if (displayName !== user.displayName) {
      await this.clients.rename(tx, address, displayName);
      await this.audit.record(tx, { act: 'user.renamed', subject: address });
    }
    if (active !== user.active) {
      await this.clients.setActive(tx, address, active);
      await this.audit.record(tx, { act: active ? 'user.activated' : 'user.deactivated', subject: address });
      if (active) await this.leaving.stay(tx, address);
    }
    if (!active) await this.leaving.leaveAll(tx, address);
  }

  /**
   * Of a user who is held: leaves all groups and is forgotten. Throws `change.last-admin` when other members of a group
   * would have no admin left.
   */
  async end(tx: Tx, { address }: MlsClient): Promise<void> {
    const leaderless = await this.leaving.leaveAll(tx, address);
    if (leaderless.length > 0) {
      const reason = `the last admin of ${leaderless.join(', ')}: appoint another, or make the user inactive`;
      throw new Fault('change.last-admin', { subject: address, groups: leaderless, reason });
    }
    await this.removeIn(tx, address);
  }

  private async removeIn(tx: Tx, address: OcmAddress): Promise<void> {
    await this.clients.remove(tx, address);
    await this.audit.record(tx, { act: 'user.removed', subject: address });
  }

  private async found(tx: Tx, address: OcmAddress): Promise<MlsClient> {
    const client = await this.clients.find(tx, address);
    if (!client) throw new Fault('client.unknown', { address });
    return client;
  }
}

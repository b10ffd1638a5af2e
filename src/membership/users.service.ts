import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import type { MlsClient } from '../mls/client.repository.js';
import { ClientsService } from '../mls/clients.service.js';
import { Idempotency, type IdempotencyKey } from '../platform/idempotency.repository.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';

/** The users of this domain, as the file platform makes them known (D-27). */
@Injectable()
export class UsersService {
  constructor(
    private readonly db: TransactionService,
    private readonly clients: ClientsService,
    private readonly idempotency: Idempotency,
  ) {}

  /** Throws `client.foreign`, `client.exists`. */
  async add(address: OcmAddress, displayName: string, key?: IdempotencyKey): Promise<MlsClient> {
    await this.db.run((tx) =>
      this.idempotency.once(tx, key, async () => (await this.clients.add(tx, address, displayName)).address),
    );
    return this.get(address);
  }

  /** Whether the user is known already does not matter; says whether it was new. Throws `client.foreign`. */
  put(address: OcmAddress, displayName: string): Promise<{ user: MlsClient; isNew: boolean }> {
    return this.db.run(async (tx) => {
      const isNew = (await this.clients.find(tx, address)) === undefined;
      if (isNew) await this.clients.add(tx, address, displayName);
      else await this.clients.rename(tx, address, displayName);
      return { user: await this.found(tx, address), isNew };
    });
  }

  /** Throws `client.unknown`. */
  get(address: OcmAddress): Promise<MlsClient> {
    return this.db.run((tx) => this.found(tx, address));
  }

  /** In the order of their addresses. */
  list(most: number, after?: string): Promise<MlsClient[]> {
    return this.db.run((tx) => this.clients.list(tx, most, after));
  }

  /** Throws `client.unknown`. Memberships end by a Commit, and are not touched. */
  remove(address: OcmAddress): Promise<void> {
    return this.db.run((tx) => this.clients.remove(tx, address));
  }

  private async found(tx: Tx, address: OcmAddress): Promise<MlsClient> {
    const client = await this.clients.find(tx, address);
    if (!client) throw new Fault('client.unknown', { address });
    return client;
  }
}

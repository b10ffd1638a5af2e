import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import { Vault } from '../platform/vault.service.js';

/** The Group Key of a group whose state was discarded, sealed: what was wrapped with it stays open to us. OCM-MLS R-139 */
@Entity('last_group_key')
export class LastGroupKeyRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('bytea', { name: 'group_key' }) groupKey!: Buffer;
}

/** Guarded by the lock on the group's row. */
@Injectable()
export class LastGroupKeyRepository {
  private readonly purpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({ table: 'last_group_key', column: 'group_key', row: ['mls_group_id'] });
  }

  async keep(tx: Tx, mlsGroupId: MlsGroupId, key: Uint8Array): Promise<void> {
    const groupKey = Buffer.from(this.vault.seal(key, this.purpose(mlsGroupId)));
    await tx.upsert(LastGroupKeyRow, { mlsGroupId, groupKey }, ['mlsGroupId']);
  }

  async find(tx: Tx, mlsGroupId: MlsGroupId): Promise<Uint8Array | undefined> {
    const row = await tx.findOneBy(LastGroupKeyRow, { mlsGroupId });
    return row ? this.vault.open(row.groupKey, this.purpose(mlsGroupId)) : undefined;
  }

  /** The Commit that took us in again makes everybody wrap anew. */
  async forget(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.delete(LastGroupKeyRow, { mlsGroupId });
  }
}

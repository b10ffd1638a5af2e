import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RatchetTree } from 'ts-mls';
import type { OcmAddress } from '../kernel/address.js';
import { wipe } from '../kernel/bytes.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import { Vault } from '../platform/vault.service.js';
import type { LocalLeaf } from './local-group.js';
import { readLeaf, writeLeaf } from './stored-state.js';

/** What one leaf alone knows, sealed. The key of the table is OCM-MLS R-003: one leaf per user and group. */
@Entity('mls_leaf')
export class MlsLeafRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('text') address!: string;
  @Column('integer', { name: 'leaf_index' }) leafIndex!: number;
  @Column('bytea') private!: Buffer;
}

/** Guarded by the lock on the group's row. */
@Injectable()
export class LeafRepository {
  private readonly purpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({ table: 'mls_leaf', column: 'private', row: ['mls_group_id', 'address'] });
  }

  /** In the order of their leaf indexes. */
  async of(tx: Tx, mlsGroupId: MlsGroupId): Promise<LocalLeaf[]> {
    const rows = await tx.find(MlsLeafRow, { where: { mlsGroupId }, order: { leafIndex: 'ASC' } });
    return rows.map((row) => {
      const address = row.address as OcmAddress;
      return { address, secrets: readLeaf(this.vault.open(row.private, this.purpose(mlsGroupId, address))) };
    });
  }

  /** @param tree of the epoch that the secrets are for */
  async put(tx: Tx, mlsGroupId: MlsGroupId, { address, secrets }: LocalLeaf, tree: RatchetTree): Promise<void> {
    const plain = writeLeaf(secrets, tree);
    const sealed = this.vault.seal(plain, this.purpose(mlsGroupId, address));
    wipe(plain);
    const row = { mlsGroupId, address, leafIndex: secrets.privatePath.leafIndex, private: Buffer.from(sealed) };
    await tx.upsert(MlsLeafRow, row, ['mlsGroupId', 'address']);
  }

  async remove(tx: Tx, mlsGroupId: MlsGroupId, address: OcmAddress): Promise<void> {
    await tx.delete(MlsLeafRow, { mlsGroupId, address });
  }
}

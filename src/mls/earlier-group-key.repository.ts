import { Injectable } from '@nestjs/common';
import { Column, Entity, LessThan, LessThanOrEqual, MoreThanOrEqual, PrimaryColumn } from 'typeorm';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import type { Tx } from '../platform/transaction.service.js';
import { Vault } from '../platform/vault.service.js';

/** A Group Key of an epoch that has ended, sealed: what was wrapped with it stays open to us for a while. OCM-MLS R-174 */
@Entity('earlier_group_key')
export class EarlierGroupKeyRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('bigint') epoch!: string;
  @Column('bytea', { name: 'group_key' }) groupKey!: Buffer;
  /** Without: as long as the group is lost (OCM-MLS R-139). */
  @Column('timestamptz', { name: 'kept_until', nullable: true }) keptUntil!: Date | null;
}

/** The longest time that an epoch's Group Key outlives the epoch, in ms. OCM-MLS R-174 */
export const GROUP_KEY_KEPT_MS = 3_600_000;

/** Guarded by the lock on the group's row. */
@Injectable()
export class EarlierGroupKeyRepository {
  private readonly purpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({ table: 'earlier_group_key', column: 'group_key', row: ['mls_group_id', 'epoch'] });
  }

  async keep(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch, key: Uint8Array, keptUntil: Date | null): Promise<void> {
    const epoch = String(at);
    const groupKey = Buffer.from(this.vault.seal(key, this.purpose(mlsGroupId, epoch)));
    await tx.upsert(EarlierGroupKeyRow, { mlsGroupId, epoch, groupKey, keptUntil }, ['mlsGroupId', 'epoch']);
  }

  async find(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<Uint8Array | undefined> {
    const row = await tx.findOneBy(EarlierGroupKeyRow, { mlsGroupId, epoch: String(at) });
    return row ? this.vault.open(row.groupKey, this.purpose(mlsGroupId, row.epoch)) : undefined;
  }

  /** From the epoch `at` on the group has another history. */
  async forgetFrom(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<void> {
    await tx.delete(EarlierGroupKeyRow, { mlsGroupId, epoch: MoreThanOrEqual(String(at)) });
  }

  /** A group that was lost is back, in the epoch `at`: its last key stays no longer than others. */
  async back(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch, keptUntil: Date): Promise<void> {
    await this.forgetFrom(tx, mlsGroupId, at);
    await tx.query(`UPDATE earlier_group_key SET kept_until = $2 WHERE mls_group_id = $1 AND kept_until IS NULL`, [
      mlsGroupId,
      keptUntil,
    ]);
  }

  /** What was wrapped in these epochs is wrapped anew. OCM-MLS R-175 */
  async forgetBefore(tx: Tx, mlsGroupId: MlsGroupId, before: Epoch): Promise<void> {
    await tx.delete(EarlierGroupKeyRow, { mlsGroupId, epoch: LessThan(String(before)) });
  }

  async forgetAll(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.delete(EarlierGroupKeyRow, { mlsGroupId });
  }

  /** Those whose time is over at `at`. OCM-MLS R-175 */
  async forgetOld(tx: Tx, at: Date): Promise<void> {
    await tx.delete(EarlierGroupKeyRow, { keptUntil: LessThanOrEqual(at) });
  }
}

import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Brand } from '../kernel/brand.js';
import type { OcmAddress } from '../kernel/address.js';
import { wipe } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import { Vault } from '../platform/vault.service.js';
import { epochOf, idOf } from './local-group.js';
import { type KeyedEpoch, readEpoch, readPublic, writeEpoch } from './stored-state.js';

/** Only what was locked can be saved. */
export type LockedEpoch = Brand<KeyedEpoch, 'LockedEpoch'>;

/** What all local leaves of a group have in common; `shared` is sealed. */
@Entity('mls_group')
export class MlsGroupRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('bigint') epoch!: string;
  @Column('bytea') public!: Buffer;
  @Column('bytea') shared!: Buffer;
  @Column('text', { nullable: true }) speaker!: string | null;
}

@Injectable()
export class ClientStateRepository {
  private readonly purpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({ table: 'mls_group', column: 'shared', row: ['mls_group_id', 'epoch'] });
  }

  /** Every use that changes a state begins here: two that run at once would use a generation twice. */
  async lock(tx: Tx, mlsGroupId: MlsGroupId): Promise<LockedEpoch | undefined> {
    const row = await tx.findOne(MlsGroupRow, { where: { mlsGroupId }, lock: { mode: 'pessimistic_write' } });
    if (!row) return undefined;
    const shared = this.vault.open(row.shared, this.purpose(mlsGroupId, row.epoch));
    const keyed = readEpoch({ public: new Uint8Array(row.public), shared });
    wipe(shared);
    return keyed as LockedEpoch;
  }

  /** Locks without reading. */
  async hold(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    const lock = { mode: 'pessimistic_write' } as const;
    await tx.findOne(MlsGroupRow, { where: { mlsGroupId }, select: { mlsGroupId: true }, lock });
  }

  /** Waits for whoever else founds the same group: there is no row to lock yet. */
  async claim(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`mls_group ${mlsGroupId}`]);
  }

  /** The public part, unlocked, nothing opened. */
  async look(tx: Tx, mlsGroupId: MlsGroupId): Promise<ReturnType<typeof readPublic> | undefined> {
    const row = await tx.findOne(MlsGroupRow, { where: { mlsGroupId }, select: { mlsGroupId: true, public: true } });
    return row ? readPublic(new Uint8Array(row.public)) : undefined;
  }

  async add(tx: Tx, keyed: KeyedEpoch): Promise<LockedEpoch> {
    await tx.insert(MlsGroupRow, { mlsGroupId: idOf(keyed), ...this.columns(keyed), speaker: null });
    return keyed as LockedEpoch;
  }

  /** Throws `internal` when the stored state is not at the epoch that was locked. */
  async save(tx: Tx, locked: LockedEpoch, next: KeyedEpoch): Promise<LockedEpoch> {
    const where = { mlsGroupId: idOf(locked), epoch: String(epochOf(locked)) };
    const isNew = epochOf(next) !== epochOf(locked);
    const { affected } = await tx.update(MlsGroupRow, where, {
      ...this.columns(next),
      ...(isNew && { speaker: null }),
    });
    if (affected !== 1) throw new Fault('internal', { what: 'MLS state changed under its lock', ...where });
    return next as LockedEpoch;
  }

  /** The local leaf that has sent data in this epoch. */
  async speaker(tx: Tx, locked: LockedEpoch): Promise<OcmAddress | undefined> {
    const where = { mlsGroupId: idOf(locked) };
    const row = await tx.findOne(MlsGroupRow, { where, select: { mlsGroupId: true, speaker: true } });
    return (row?.speaker ?? undefined) as OcmAddress | undefined;
  }

  /** From now on no other leaf of ours sends in this epoch. OCM-MLS R-179 */
  async pin(tx: Tx, locked: LockedEpoch, speaker: OcmAddress): Promise<void> {
    await tx.update(MlsGroupRow, { mlsGroupId: idOf(locked) }, { speaker });
  }

  /** With its leaves and its pending Commit. OCM-MLS R-158 */
  async remove(tx: Tx, locked: LockedEpoch): Promise<void> {
    await tx.delete(MlsGroupRow, { mlsGroupId: idOf(locked) });
  }

  private columns(keyed: KeyedEpoch): Omit<MlsGroupRow, 'mlsGroupId' | 'speaker'> {
    const stored = writeEpoch(keyed);
    const epoch = String(epochOf(keyed));
    const shared = this.vault.seal(stored.shared, this.purpose(idOf(keyed), epoch));
    wipe(stored.shared);
    return { epoch, public: Buffer.from(stored.public), shared: Buffer.from(shared) };
  }
}

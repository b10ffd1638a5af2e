import { Injectable } from '@nestjs/common';
import { Column, Entity, LessThanOrEqual, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { Reinit } from './reinit.js';

/** Groups that were reinitialised, as long as anything is left to do for it. */
@Entity('group_reinit')
export class ReinitRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('text', { unique: true }) successor!: string;
  @Column('timestamptz', { name: 'due_at', nullable: true }) dueAt!: Date | null;
  @Column('timestamptz', { name: 'makes_at', nullable: true }) makesAt!: Date | null;
  @Column('integer') tries!: number;
  @Column('text', { nullable: true }) creator!: string | null;
  @Column('timestamptz', { name: 'over_at', nullable: true }) overAt!: Date | null;
}

/** Guarded by the lock on the old group's row. */
@Injectable()
export class ReinitRepository {
  async put(tx: Tx, reinit: Reinit): Promise<void> {
    const { dueAt, makesAt, creator, overAt, ...rest } = reinit;
    const times = { dueAt: dueAt ?? null, makesAt: makesAt ?? null, overAt: overAt ?? null };
    await tx.upsert(ReinitRow, { ...rest, ...times, creator: creator ?? null }, ['mlsGroupId']);
  }

  async of(tx: Tx, mlsGroupId: MlsGroupId): Promise<Reinit | undefined> {
    const row = await tx.findOneBy(ReinitRow, { mlsGroupId });
    return row ? toReinit(row) : undefined;
  }

  /** The group whose place this one takes. */
  async originOf(tx: Tx, successor: MlsGroupId): Promise<MlsGroupId | undefined> {
    const row = await tx.findOneBy(ReinitRow, { successor });
    return row?.mlsGroupId as MlsGroupId | undefined;
  }

  /** Whether there is one for whose successor this server has something to do at `at`, though others may hold it. */
  hasDue(tx: Tx, at: Date): Promise<boolean> {
    return tx.existsBy(ReinitRow, { dueAt: LessThanOrEqual(at) });
  }

  /** One for whose successor this server has something to do at `at`, locked; those that others hold are passed over. */
  async nextDue(tx: Tx, at: Date): Promise<Reinit | undefined> {
    const row = await tx
      .createQueryBuilder(ReinitRow, 'reinit')
      .where('reinit.dueAt <= :at', { at })
      .orderBy('reinit.dueAt')
      .limit(1)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getOne();
    return row ? toReinit(row) : undefined;
  }

  async nextOver(tx: Tx, at: Date): Promise<Reinit | undefined> {
    const row = await tx
      .createQueryBuilder(ReinitRow, 'reinit')
      .where('reinit.overAt <= :at', { at })
      .orderBy('reinit.overAt')
      .limit(1)
      .getOne();
    return row ? toReinit(row) : undefined;
  }

  async remove(tx: Tx, { mlsGroupId }: Reinit): Promise<void> {
    await tx.delete(ReinitRow, { mlsGroupId });
  }
}

const toReinit = (row: ReinitRow): Reinit => ({
  mlsGroupId: row.mlsGroupId as MlsGroupId,
  successor: row.successor as MlsGroupId,
  tries: row.tries,
  ...(row.dueAt ? { dueAt: row.dueAt } : {}),
  ...(row.makesAt ? { makesAt: row.makesAt } : {}),
  ...(row.creator === null ? {} : { creator: row.creator as OcmAddress }),
  ...(row.overAt ? { overAt: row.overAt } : {}),
});

import { Injectable } from '@nestjs/common';
import { Column, Entity, LessThanOrEqual, PrimaryColumn } from 'typeorm';
import { epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { Group } from './group.js';

/** Of what was spoken of. */
const GRACE_MS = 30_000;
/** What a member proposes is committed sooner than this, or an admin server says that nobody has come further. */
const UNCOVERED_MS = 3_600_000;

/** A group of which this server seems to lack Commits. OCM-MLS R-112 */
@Entity('group_gap')
export class GapRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('bigint', { name: 'up_to' }) upTo!: string;
  @Column('integer') rounds!: number;
  @Column('timestamptz', { name: 'due_at' }) dueAt!: Date;
}

export interface Gap {
  readonly mlsGroupId: MlsGroupId;
  /** The epoch that others spoke of. */
  readonly upTo: Epoch;
  /** How often the admin servers were asked. */
  readonly rounds: number;
}

@Injectable()
export class GapRepository {
  /**
   * Somebody spoke of a later epoch at `now`: nobody is asked before `waitMs` is over, since what is missing may be on its
   * way still. What was known before is not put off by hearing more.
   */
  async hear(tx: Tx, mlsGroupId: MlsGroupId, upTo: Epoch, now: Date, waitMs = GRACE_MS): Promise<void> {
    const dueAt = new Date(now.getTime() + waitMs);
    await tx.query(
      `INSERT INTO group_gap (mls_group_id, up_to, rounds, due_at) VALUES ($1, $2, 0, $3)
       ON CONFLICT (mls_group_id) DO UPDATE SET up_to = greatest(group_gap.up_to, excluded.up_to)`,
      [mlsGroupId, upTo, dueAt],
    );
  }

  /**
   * Members here have proposed something in this epoch. When the next one does not come in time, it may be that we are the
   * only ones who do not know of it.
   */
  async expect(tx: Tx, { mlsGroupId, epoch: at }: Group, now: Date): Promise<void> {
    await this.hear(tx, mlsGroupId, epoch(at + 1), now, UNCOVERED_MS);
  }

  /** Whether there is one that is due at `at`, though others may hold it. */
  hasDue(tx: Tx, at: Date): Promise<boolean> {
    return tx.existsBy(GapRow, { dueAt: LessThanOrEqual(at) });
  }

  /** One that is due at `at`, locked; those that others hold are passed over. */
  async due(tx: Tx, at: Date): Promise<Gap | undefined> {
    const [row] = await tx
      .createQueryBuilder(GapRow, 'gap')
      .where('gap.dueAt <= :at', { at })
      .orderBy('gap.dueAt')
      .limit(1)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getMany();
    if (!row) return undefined;
    return { mlsGroupId: row.mlsGroupId as MlsGroupId, upTo: epoch(Number(row.upTo)), rounds: row.rounds };
  }

  async putOff(tx: Tx, { mlsGroupId, rounds }: Gap, dueAt: Date): Promise<void> {
    await tx.update(GapRow, { mlsGroupId }, { rounds, dueAt });
  }

  async upTo(tx: Tx, mlsGroupId: MlsGroupId): Promise<Epoch | undefined> {
    const row = await tx.findOneBy(GapRow, { mlsGroupId });
    return row ? epoch(Number(row.upTo)) : undefined;
  }

  async forget(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.delete(GapRow, { mlsGroupId });
  }
}

import { Injectable } from '@nestjs/common';
import { Column, Entity, LessThanOrEqual, PrimaryColumn } from 'typeorm';
import { type CommitDigest, epoch, type MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { DoubtedCommit } from './doubt.js';

/** A group that came back after its state was lost, and Commits that may have been of another history than its own. */
@Entity('group_doubt')
export class DoubtRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('timestamptz', { name: 'lost_at' }) lostAt!: Date;
  @Column('jsonb') commits!: { epoch: number; digest: string; changes: string[] }[];
  @Column('integer') rounds!: number;
  @Column('timestamptz', { name: 'due_at' }) dueAt!: Date;
}

export interface Doubt {
  readonly mlsGroupId: MlsGroupId;
  /** Each time that a group is lost has its own doubts. */
  readonly lostAt: Date;
  /** In the order of their epochs. */
  readonly commits: readonly DoubtedCommit[];
  /** How often the admin servers were asked. */
  readonly rounds: number;
}

@Injectable()
export class DoubtRepository {
  /** Whether there is one that is due at `at`, though others may hold it. */
  hasDue(tx: Tx, at: Date): Promise<boolean> {
    return tx.existsBy(DoubtRow, { dueAt: LessThanOrEqual(at) });
  }

  /** One that is due at `at`, locked; those that others hold are passed over. */
  async due(tx: Tx, at: Date): Promise<Doubt | undefined> {
    const [row] = await tx
      .createQueryBuilder(DoubtRow, 'doubt')
      .where('doubt.dueAt <= :at', { at })
      .orderBy('doubt.dueAt')
      .limit(1)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getMany();
    return row ? toDoubt(row) : undefined;
  }

  /** Nothing is kept where nothing is doubted. */
  async save(tx: Tx, { mlsGroupId, lostAt, commits, rounds }: Doubt, dueAt: Date): Promise<void> {
    if (commits.length === 0) return void (await tx.delete(DoubtRow, { mlsGroupId, lostAt }));
    const rows = commits.map((one) => ({ ...one, changes: [...one.changes] }));
    await tx.upsert(DoubtRow, { mlsGroupId, lostAt, commits: rows, rounds, dueAt }, ['mlsGroupId', 'lostAt']);
  }
}

const toDoubt = ({ mlsGroupId, lostAt, commits, rounds }: DoubtRow): Doubt => ({
  mlsGroupId: mlsGroupId as MlsGroupId,
  lostAt,
  commits: commits.map((one) => ({ ...one, epoch: epoch(one.epoch), digest: one.digest as CommitDigest })),
  rounds,
});

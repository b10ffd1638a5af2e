import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { Group } from './group.js';
import { type Locked, type Reach, REACH } from './group.repository.js';

/** In the stead of an epoch. */
const FORGOTTEN = '-1';

/** How far a follower has come in each group: the epoch and state it last acted on. */
@Entity('follower_cursor')
export class FollowerRow {
  @PrimaryColumn('text') follower!: string;
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('bigint') epoch!: string;
  @Column('text') state!: string;
}

/**
 * What follows the groups: each follower is led through every group that moved since it last looked, one group a
 * transaction. Several epochs that passed meanwhile are seen as one; a crash repeats the last turn. A cursor for each
 * group, and none over all of them, so that Commits of different groups never wait for each other.
 */
@Injectable()
export class FollowerRepository {
  /** A group that moved since `follower` saw it. */
  async due(tx: Tx, follower: string, how: Reach = 'lock'): Promise<MlsGroupId | undefined> {
    const [row] = (await tx.query(
      `SELECT g.mls_group_id FROM federated_group g
       LEFT JOIN follower_cursor f ON f.mls_group_id = g.mls_group_id AND f.follower = $1
       WHERE f.epoch IS NULL OR f.epoch <> g.epoch OR f.state <> g.state
       ORDER BY g.changed_at LIMIT 1 ${REACH[how]}`,
      [follower],
    )) as { mls_group_id: MlsGroupId }[];
    return row?.mls_group_id;
  }

  /** The epoch in which `follower` saw the group last; `forgotten` when the database is older than what it did since. */
  async seenAt(tx: Tx, follower: string, mlsGroupId: MlsGroupId): Promise<Epoch | 'forgotten' | undefined> {
    const row = await tx.findOneBy(FollowerRow, { follower, mlsGroupId });
    if (row?.epoch === FORGOTTEN) return 'forgotten';
    return row ? epoch(Number(row.epoch)) : undefined;
  }

  /** Every follower looks at the group again, though it may come to the same epoch by another way. */
  async rewind(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.delete(FollowerRow, { mlsGroupId });
  }

  /** The same after the database went back to a backup: what followers did since nobody here knows. */
  async forget(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.update(FollowerRow, { mlsGroupId }, { epoch: FORGOTTEN });
  }

  async seen(tx: Tx, follower: string, { mlsGroupId, epoch: at, state }: Locked<Group>): Promise<void> {
    await tx.query(
      `INSERT INTO follower_cursor (follower, mls_group_id, epoch, state) VALUES ($1, $2, $3, $4)
       ON CONFLICT (follower, mls_group_id) DO UPDATE SET epoch = excluded.epoch, state = excluded.state`,
      [follower, mlsGroupId, at, state],
    );
  }
}

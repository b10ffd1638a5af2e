import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import { type Reach, REACH } from './group.repository.js';

/** When this server takes a group over, should no Commit come before; of groups whose next admins are at home here. */
@Entity('takeover_watch')
export class TakeoverWatchRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('timestamptz', { name: 'due_at' }) dueAt!: Date;
}

@Injectable()
export class TakeoverWatchRepository {
  async set(tx: Tx, mlsGroupId: MlsGroupId, dueAt: Date | undefined): Promise<void> {
    if (dueAt) await tx.upsert(TakeoverWatchRow, { mlsGroupId, dueAt }, ['mlsGroupId']);
    else await tx.delete(TakeoverWatchRow, { mlsGroupId });
  }

  /** A group that is due at `at`; groups that are to be left in peace are passed over. */
  async due(tx: Tx, at: Date, how: Reach = 'lock'): Promise<MlsGroupId | undefined> {
    const [row] = (await tx.query(
      `SELECT g.mls_group_id FROM takeover_watch w JOIN federated_group g USING (mls_group_id)
       WHERE w.due_at <= $1 AND g.state = 'active' AND (g.quiet_until IS NULL OR g.quiet_until <= $1)
       ORDER BY w.due_at LIMIT 1 ${REACH[how]}`,
      [at],
    )) as { mls_group_id: MlsGroupId }[];
    return row?.mls_group_id;
  }
}

import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';

/** Rows of one table as they stood in an epoch that may come back. What they seal stays sealed. */
@Entity('held_state')
export class HeldStateRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('bigint') epoch!: string;
  @PrimaryColumn('text') part!: string;
  @Column('jsonb') rows!: object[];
  @Column('timestamptz', { name: 'held_until' }) heldUntil!: Date;
}

/** All that the MLS state of a group is made of; each refers to the first one. */
const PARTS = ['mls_group', 'mls_leaf', 'pending_commit'] as const;

/**
 * Keeps a group's whole MLS state of one epoch, row by row, for a while (OCM-MLS ). The rows are copied
 * without being opened: this is the one place that reads and writes tables of other repositories.
 * Guarded by the lock on the group's row.
 */
@Injectable()
export class HeldStateRepository {
  async hold(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch, until: Date): Promise<void> {
    for (const part of PARTS) {
      await tx.query(
        `INSERT INTO held_state (mls_group_id, epoch, part, rows, held_until)
         SELECT $1, $2, '${part}', coalesce(jsonb_agg(to_jsonb(t)), '[]'), $3 FROM ${part} t WHERE t.mls_group_id = $1`,
        [mlsGroupId, at, until],
      );
    }
  }

  /** Puts the state of that epoch in the place of what is there now, and goes on holding it. */
  async restore(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<void> {
    await tx.query(`DELETE FROM mls_group WHERE mls_group_id = $1`, [mlsGroupId]);
    for (const part of PARTS) {
      await tx.query(
        `INSERT INTO ${part} SELECT r.* FROM held_state h, jsonb_populate_recordset(NULL::${part}, h.rows) r
         WHERE h.mls_group_id = $1 AND h.epoch = $2 AND h.part = '${part}'`,
        [mlsGroupId, at],
      );
    }
  }

  /** Those of later epochs than `at`, which belong to a history that is none any more. */
  async forgetAfter(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<void> {
    await tx.query(`DELETE FROM held_state WHERE mls_group_id = $1 AND epoch > $2`, [mlsGroupId, at]);
  }

  async forgetExpired(tx: Tx, at: Date): Promise<void> {
    await tx.query(`DELETE FROM held_state WHERE held_until <= $1`, [at]);
  }
}

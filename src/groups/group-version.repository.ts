import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { Brand } from '../kernel/brand.js';
import type { Tx } from '../platform/transaction.service.js';

/** Written by triggers, with whatever changes a group or its roster. */
@Entity('group_version')
export class GroupVersionRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('text') address!: string;
  /** Another one with every change; it stays with the state that it names, also in a backup. */
  @Column('uuid') version!: string;
  /** The transaction that wrote it. */
  @Column('bigint', { name: 'written_in' }) writtenIn!: string;
}

/** What the database was when somebody looked: transactions that count in it count for good. For nobody else to read. */
export type Outlook = Brand<string, 'Outlook'>;

/** What became of all groups between two looks. */
export interface Moved {
  readonly outlook: Outlook;
  /** Another one when the tables were filled anew, as with a backup, or another server answers: nothing kept counts. */
  readonly incarnation: string;
  /** Addresses of groups that changed. */
  readonly groups: readonly OcmAddress[];
  /** Whoever is a member of one of them now. */
  readonly members: readonly OcmAddress[];
}

@Injectable()
export class GroupVersionRepository {
  /**
   * What changed since an earlier look: nothing before the first. Everything that was committed when this statement began
   * is seen in it, in whatever order transactions ended. At most `most` groups are named. Transactions of the future are
   * those of another server, from which a backup came.
   */
  async movedSince(tx: Tx, since: Outlook | undefined, most: number): Promise<Moved> {
    const [row] = (await tx.query(
      `WITH moved AS MATERIALIZED (
         SELECT mls_group_id, address FROM group_version
         WHERE written_in >= pg_snapshot_xmin($1::pg_snapshot)::text::bigint
           AND written_in < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
           AND NOT pg_visible_in_snapshot(written_in::text::xid8, $1::pg_snapshot)
         ORDER BY written_in DESC LIMIT $2
       )
       SELECT pg_current_snapshot()::text AS outlook,
         concat_ws(' ', pg_postmaster_start_time(), pg_relation_filenode('group_version'),
           pg_relation_filenode('federated_group'), pg_relation_filenode('group_member')) AS incarnation,
         ARRAY(SELECT address FROM moved) AS groups,
         ARRAY(SELECT m.address FROM moved JOIN group_member m USING (mls_group_id)) AS members`,
      [since ?? null, most],
    )) as [Moved];
    return row;
  }
}

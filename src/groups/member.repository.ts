import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { Brand } from '../kernel/brand.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Member } from '../mls/group-view.js';
import type { Tx } from '../platform/transaction.service.js';
import { type GroupMember, memberServers } from './group.js';

/** The roster of each group in its current epoch, as the tree says it. */
@Entity('group_member')
export class MemberRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('text') address!: string;
  @Column('text') host!: string;
  @Column('integer', { name: 'leaf_index' }) leafIndex!: number;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}

/** Rows as JSON, for nobody else to read. */
export type RosterCopy = Brand<readonly object[], 'RosterCopy'>;

@Injectable()
export class MemberRepository {
  /** In the order of their leaves. */
  async of(tx: Tx, mlsGroupId: MlsGroupId): Promise<GroupMember[]> {
    const rows = await tx.find(MemberRow, { where: { mlsGroupId }, order: { leafIndex: 'ASC' } });
    return rows.map(({ address, leafIndex, updatedAt }) => ({ address: address as OcmAddress, leafIndex, updatedAt }));
  }

  async isMember(tx: Tx, mlsGroupId: MlsGroupId, address: OcmAddress): Promise<boolean> {
    return tx.existsBy(MemberRow, { mlsGroupId, address });
  }

  async ofServer(tx: Tx, mlsGroupId: MlsGroupId, host: Host): Promise<OcmAddress[]> {
    const rows = await tx.find(MemberRow, { where: { mlsGroupId, host }, order: { leafIndex: 'ASC' } });
    return rows.map(({ address }) => address as OcmAddress);
  }

  async groupsOf(tx: Tx, address: OcmAddress): Promise<MlsGroupId[]> {
    return (await tx.findBy(MemberRow, { address })).map(({ mlsGroupId }) => mlsGroupId as MlsGroupId);
  }

  async servers(tx: Tx, mlsGroupId: MlsGroupId): Promise<Host[]> {
    return memberServers((await this.of(tx, mlsGroupId)).map(({ address }) => address));
  }

  /** When any leaf of the group was last renewed; undefined without a roster. */
  async lastRenewal(tx: Tx, mlsGroupId: MlsGroupId): Promise<Date | undefined> {
    const [row] = (await tx.query(`SELECT max(updated_at) AS last FROM group_member WHERE mls_group_id = $1`, [
      mlsGroupId,
    ])) as { last: Date | null }[];
    return row?.last ?? undefined;
  }

  /** All that is known of the members, to be put back by `restore`. */
  async copy(tx: Tx, mlsGroupId: MlsGroupId): Promise<RosterCopy> {
    const [row] = (await tx.query(
      `SELECT coalesce(jsonb_agg(to_jsonb(m)), '[]') AS rows FROM group_member m WHERE mls_group_id = $1`,
      [mlsGroupId],
    )) as [{ rows: object[] }];
    return row.rows as unknown as RosterCopy;
  }

  /** The roster as it was, ages and all. */
  async restore(tx: Tx, mlsGroupId: MlsGroupId, roster: RosterCopy): Promise<void> {
    await tx.delete(MemberRow, { mlsGroupId });
    await tx.query(`INSERT INTO group_member SELECT * FROM jsonb_populate_recordset(NULL::group_member, $1)`, [
      JSON.stringify(roster),
    ]);
  }

  /**
   * Makes the stored roster the given one, writing only what differs.
   * @param renewed whose leaf got new keys; whoever is new counts as renewed `at`, too
   */
  async replace(
    tx: Tx,
    mlsGroupId: MlsGroupId,
    members: readonly Member[],
    at: Date,
    renewed: readonly OcmAddress[] = [],
  ): Promise<void> {
    const rows = members.map(({ address, leafIndex }) => ({
      address,
      host: hostOf(address),
      leaf_index: leafIndex,
      renewed: renewed.includes(address),
    }));
    await tx.query(
      `DELETE FROM group_member WHERE mls_group_id = $1
       AND NOT (address = ANY (SELECT address FROM jsonb_to_recordset($2::jsonb) AS new (address text)))`,
      [mlsGroupId, JSON.stringify(rows)],
    );
    await tx.query(
      `INSERT INTO group_member AS old (mls_group_id, address, host, leaf_index, updated_at)
       SELECT $1, new.address, new.host, new.leaf_index,
         CASE WHEN was.address IS NULL OR new.renewed OR was.leaf_index <> new.leaf_index THEN $3 ELSE was.updated_at END
       FROM jsonb_to_recordset($2::jsonb) AS new (address text, host text, leaf_index integer, renewed boolean)
       LEFT JOIN group_member was ON was.mls_group_id = $1 AND was.address = new.address
       ON CONFLICT (mls_group_id, address) DO UPDATE
         SET leaf_index = excluded.leaf_index, updated_at = excluded.updated_at
       WHERE (old.leaf_index, old.updated_at) <> (excluded.leaf_index, excluded.updated_at)`,
      [mlsGroupId, JSON.stringify(rows), at],
    );
  }
}

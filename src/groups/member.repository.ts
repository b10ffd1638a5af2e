import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Member } from '../mls/group-view.js';
import type { Tx } from '../platform/transaction.service.js';
import { memberServers } from './group.js';

/** The roster of each group in its current epoch, as the tree says it. */
@Entity('group_member')
export class MemberRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('text') address!: string;
  @Column('text') host!: string;
  @Column('integer', { name: 'leaf_index' }) leafIndex!: number;
}

@Injectable()
export class MemberRepository {
  /** In the order of their leaves. */
  async of(tx: Tx, mlsGroupId: MlsGroupId): Promise<Member[]> {
    const rows = await tx.find(MemberRow, { where: { mlsGroupId }, order: { leafIndex: 'ASC' } });
    return rows.map(({ address, leafIndex }) => ({ address: address as OcmAddress, leafIndex }));
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

  /** Makes the stored roster the given one, writing only what differs. */
  async replace(tx: Tx, mlsGroupId: MlsGroupId, members: readonly Member[]): Promise<void> {
    const rows = members.map(({ address, leafIndex }) => ({ address, host: hostOf(address), leaf_index: leafIndex }));
    await tx.query(
      `DELETE FROM group_member WHERE mls_group_id = $1
       AND NOT (address = ANY (SELECT address FROM jsonb_to_recordset($2::jsonb) AS new (address text)))`,
      [mlsGroupId, JSON.stringify(rows)],
    );
    await tx.query(
      `INSERT INTO group_member (mls_group_id, address, host, leaf_index)
       SELECT $1, address, host, leaf_index
       FROM jsonb_to_recordset($2::jsonb) AS new (address text, host text, leaf_index integer)
       ON CONFLICT (mls_group_id, address) DO UPDATE SET leaf_index = excluded.leaf_index
       WHERE group_member.leaf_index <> excluded.leaf_index`,
      [mlsGroupId, JSON.stringify(rows)],
    );
  }
}

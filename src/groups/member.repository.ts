import { Injectable } from '@nestjs/common';
import { Column, Entity, In, IsNull, PrimaryColumn } from 'typeorm';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { Brand } from '../kernel/brand.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import type { CommitFacts, Member } from '../mls/group-view.js';
import type { Tx } from '../platform/transaction.service.js';
import { DepartureRepository } from './departure.repository.js';
import type { RosterChange } from './group-events.js';
import { type GroupMember, memberServers } from './group.js';

/** The roster of each group in its current epoch, as the tree says it. */
@Entity('group_member')
export class MemberRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('text') address!: string;
  @Column('text') host!: string;
  @Column('integer', { name: 'leaf_index' }) leafIndex!: number;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  /** The leaf still has the key of the KeyPackage it came with, as far as it was seen here. */
  @Column('boolean') fresh!: boolean;
  /** When this server has to do something about the leaf's age; null when that is to be worked out. */
  @Column('timestamptz', { name: 'due_at', nullable: true }) dueAt!: Date | null;
  /** The epoch in which this server last proposed an Update of it. */
  @Column('bigint', { name: 'proposed_in', nullable: true }) proposedIn!: string | null;
}

/** A leaf and its age, where that matters. */
export interface AgingLeaf {
  readonly mlsGroupId: MlsGroupId;
  readonly address: OcmAddress;
  readonly updatedAt: Date;
  readonly fresh: boolean;
}

/** Rows as JSON, for nobody else to read. */
export type RosterCopy = Brand<readonly object[], 'RosterCopy'>;

@Injectable()
export class MemberRepository {
  constructor(private readonly departures: DepartureRepository) {}

  /** In the order of their leaves. */
  async of(tx: Tx, mlsGroupId: MlsGroupId): Promise<GroupMember[]> {
    const rows = await tx.find(MemberRow, { where: { mlsGroupId }, order: { leafIndex: 'ASC' } });
    return rows.map(({ address, leafIndex, updatedAt }) => ({ address: address as OcmAddress, leafIndex, updatedAt }));
  }

  async isMember(tx: Tx, mlsGroupId: MlsGroupId, address: OcmAddress): Promise<boolean> {
    return tx.existsBy(MemberRow, { mlsGroupId, address });
  }

  /** When the leaf was last renewed; nothing for who is no member. */
  async renewedAt(tx: Tx, mlsGroupId: MlsGroupId, address: OcmAddress): Promise<Date | undefined> {
    return (await tx.findOneBy(MemberRow, { mlsGroupId, address }))?.updatedAt;
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

  /** The roster as it was, ages and all. Returns who came and went by it. */
  async restore(tx: Tx, mlsGroupId: MlsGroupId, roster: RosterCopy): Promise<RosterChange> {
    const before = (await this.of(tx, mlsGroupId)).map(({ address }) => address);
    await tx.delete(MemberRow, { mlsGroupId });
    await tx.query(`INSERT INTO group_member SELECT * FROM jsonb_populate_recordset(NULL::group_member, $1)`, [
      JSON.stringify(roster),
    ]);
    const after = (await this.of(tx, mlsGroupId)).map(({ address }) => address);
    const removed = before.filter((address) => !after.includes(address));
    await this.departures.note(tx, mlsGroupId, removed);
    return { added: after.filter((address) => !before.includes(address)), removed };
  }

  /**
   * Makes the stored roster the given one, writing only what differs. Whoever is new counts as renewed `at`; whoever is gone
   * is noted as that. Returns who came and went.
   * @param renewed whose leaf got new keys: with a KeyPackage, or by an Update or an UpdatePath
   */
  async replace(
    tx: Tx,
    mlsGroupId: MlsGroupId,
    members: readonly Member[],
    at: Date,
    renewed: Renewed = NOBODY,
  ): Promise<RosterChange> {
    const rows = members.map(({ address, leafIndex }) => ({
      address,
      host: hostOf(address),
      leaf_index: leafIndex,
      added: renewed.added.includes(address),
      updated: renewed.updated.includes(address),
    }));
    const [gone] = (await tx.query(
      `DELETE FROM group_member WHERE mls_group_id = $1
       AND NOT (address = ANY (SELECT address FROM jsonb_to_recordset($2::jsonb) AS new (address text)))
       RETURNING address`,
      [mlsGroupId, JSON.stringify(rows)],
    )) as [{ address: OcmAddress }[], number];
    const removed = gone.map(({ address }) => address);
    await this.departures.note(tx, mlsGroupId, removed);
    const written = await tx.query<{ address: OcmAddress; is_new: boolean }[]>(
      `INSERT INTO group_member AS old (mls_group_id, address, host, leaf_index, updated_at, fresh)
       SELECT $1, new.address, new.host, new.leaf_index,
         CASE WHEN new.entered OR new.updated THEN $3 ELSE new.updated_at END,
         CASE WHEN new.entered THEN true WHEN new.updated THEN false ELSE new.fresh END
       FROM (
         SELECT given.*, was.updated_at, was.fresh,
           was.address IS NULL OR given.added OR was.leaf_index <> given.leaf_index AS entered
         FROM jsonb_to_recordset($2::jsonb)
           AS given (address text, host text, leaf_index integer, added boolean, updated boolean)
         LEFT JOIN group_member was ON was.mls_group_id = $1 AND was.address = given.address
       ) AS new
       ON CONFLICT (mls_group_id, address) DO UPDATE
         SET leaf_index = excluded.leaf_index, updated_at = excluded.updated_at, fresh = excluded.fresh, due_at = NULL
       WHERE (old.leaf_index, old.updated_at, old.fresh) <> (excluded.leaf_index, excluded.updated_at, excluded.fresh)
       RETURNING address, xmax = 0 AS is_new`,
      [mlsGroupId, JSON.stringify(rows), at],
    );
    return { added: written.filter(({ is_new: isNew }) => isNew).map(({ address }) => address), removed };
  }

  /** Leaves whose time is to be worked out, as after each time that they are renewed. */
  async unscheduled(tx: Tx, mlsGroupId: MlsGroupId): Promise<AgingLeaf[]> {
    return (await tx.findBy(MemberRow, { mlsGroupId, dueAt: IsNull() })).map(toAgingLeaf);
  }

  /** Leaves whose time has come by `at`, without those whose Update was proposed in `epoch`. */
  async due(tx: Tx, mlsGroupId: MlsGroupId, at: Date, epoch: Epoch): Promise<AgingLeaf[]> {
    const rows = await tx
      .createQueryBuilder(MemberRow, 'member')
      .where('member.mlsGroupId = :mlsGroupId AND member.dueAt <= :at', { mlsGroupId, at })
      .andWhere('member.proposedIn IS DISTINCT FROM :epoch', { epoch })
      .orderBy('member.leafIndex')
      .getMany();
    return rows.map(toAgingLeaf);
  }

  async schedule(
    tx: Tx,
    mlsGroupId: MlsGroupId,
    times: readonly { readonly address: OcmAddress; readonly dueAt: Date }[],
  ): Promise<void> {
    await tx.query(
      `UPDATE group_member m SET due_at = new.due_at
       FROM jsonb_to_recordset($2::jsonb) AS new (address text, due_at timestamptz)
       WHERE m.mls_group_id = $1 AND m.address = new.address`,
      [mlsGroupId, JSON.stringify(times.map(({ address, dueAt }) => ({ address, due_at: dueAt })))],
    );
  }

  /** D-13: until the leaf is renewed it is proposed once in each epoch. */
  async proposed(tx: Tx, mlsGroupId: MlsGroupId, addresses: readonly OcmAddress[], epoch: Epoch): Promise<void> {
    await tx.update(MemberRow, { mlsGroupId, address: In([...addresses]) }, { proposedIn: String(epoch) });
  }
}

type Renewed = Pick<CommitFacts, 'added' | 'updated'>;
const NOBODY: Renewed = { added: [], updated: [] };

const toAgingLeaf = ({ mlsGroupId, address, updatedAt, fresh }: MemberRow): AgingLeaf => ({
  mlsGroupId: mlsGroupId as MlsGroupId,
  address: address as OcmAddress,
  updatedAt,
  fresh,
});

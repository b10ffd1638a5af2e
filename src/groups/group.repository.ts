import { Injectable } from '@nestjs/common';
import { Column, Entity, Not, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { Brand } from '../kernel/brand.js';
import { Fault } from '../kernel/fault.js';
import { type CommitDigest, epoch, type MlsGroupId } from '../kernel/ids.js';
import { FeedRecorder } from '../feed/recorder.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { DUE_WORK } from './due-work.js';
import { appeared, movedOn } from './group-events.js';
import type { Group } from './group.js';

/** Only what was locked can be saved. */
export type Locked<T> = Brand<T, 'Locked'>;

@Entity('federated_group')
export class GroupRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('text') address!: string;
  @Column('bigint') epoch!: string;
  @Column('text') state!: Group['state'];
  @Column('integer') instance!: number;
  @Column('integer') history!: number;
  @Column('jsonb') admins!: string[];
  @Column('text', { nullable: true }) submitted!: string | null;
  @Column('timestamptz', { name: 'quiet_until', nullable: true }) quietUntil!: Date | null;
  @Column('timestamptz', { name: 'changed_at' }) changedAt!: Date;
}

/** Whether a group `g` is only looked for, whoever may hold it, or locked, and passed over where others hold it. */
export type Reach = 'look' | 'lock';
export const REACH: Readonly<Record<Reach, string>> = { look: '', lock: 'FOR UPDATE OF g SKIP LOCKED' };

/** Whatever of a group is of interest to others is told to the feed. */
@Injectable()
export class GroupRepository {
  constructor(private readonly feed: FeedRecorder) {}

  async byId(tx: Tx, mlsGroupId: MlsGroupId): Promise<Group | undefined> {
    const row = await tx.findOneBy(GroupRow, { mlsGroupId });
    return row ? toGroup(row) : undefined;
  }

  /** The group that the address is bound to now. */
  async byAddress(tx: Tx, address: OcmAddress): Promise<Group | undefined> {
    const row = await tx.findOneBy(GroupRow, { address, state: Not('superseded') });
    return row ? toGroup(row) : undefined;
  }

  /** By address. */
  async all(tx: Tx): Promise<Group[]> {
    return (await tx.find(GroupRow, { where: { state: Not('superseded') }, order: { address: 'ASC' } })).map(toGroup);
  }

  /** Waits for whoever else makes the same group known at this moment: there is no row to lock yet. */
  async claim(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`federated_group ${mlsGroupId}`]);
  }

  /** Every change of a group begins here. `undefined` when there is no such group. */
  async lock(tx: Tx, mlsGroupId: MlsGroupId): Promise<Locked<Group> | undefined> {
    const row = await tx.findOne(GroupRow, { where: { mlsGroupId }, lock: { mode: 'pessimistic_write' } });
    return row ? (toGroup(row) as Locked<Group>) : undefined;
  }

  /** The same for what was looked for and perhaps not found. */
  async lockAny(tx: Tx, mlsGroupId: MlsGroupId | undefined): Promise<Locked<Group> | undefined> {
    return mlsGroupId === undefined ? undefined : this.lock(tx, mlsGroupId);
  }

  /** The group whose Commit of this digest waits for the owner server, locked. */
  async lockSubmitter(tx: Tx, submitted: CommitDigest): Promise<Locked<Group> | undefined> {
    const row = await tx.findOne(GroupRow, { where: { submitted }, lock: { mode: 'pessimistic_write' } });
    return row ? (toGroup(row) as Locked<Group>) : undefined;
  }

  /**
   * A group in which this server has something to commit or to propose at `at` (`DUE_WORK`). Groups that wait for an
   * answer or that are to be left in peace are passed over.
   */
  async withWork(tx: Tx, at: Date, how: Reach = 'lock'): Promise<MlsGroupId | undefined> {
    const [row] = (await tx.query(
      `SELECT g.mls_group_id FROM federated_group g
       WHERE g.state = 'active' AND (g.quiet_until <= $1 OR (g.quiet_until IS NULL AND g.submitted IS NULL)) AND (${DUE_WORK.join(' OR ')})
       ORDER BY g.changed_at LIMIT 1 ${REACH[how]}`,
      [at],
    )) as { mls_group_id: MlsGroupId }[];
    return row?.mls_group_id;
  }

  /**
   * A group with a leaf whose time is to be worked out or has come by `at`, unless its Update was proposed in the group's
   * epoch.
   */
  async withAgingLeaf(tx: Tx, at: Date, how: Reach = 'lock'): Promise<MlsGroupId | undefined> {
    const [row] = (await tx.query(
      `SELECT g.mls_group_id FROM group_member m JOIN federated_group g USING (mls_group_id)
       WHERE g.state = 'active'
         AND (m.due_at IS NULL OR (m.due_at <= $1 AND m.proposed_in IS DISTINCT FROM g.epoch))
       LIMIT 1 ${REACH[how]}`,
      [at],
    )) as { mls_group_id: MlsGroupId }[];
    return row?.mls_group_id;
  }

  /** Throws `group.address-taken` when the address is bound to another group: the first binding wins (D-16). */
  async add(tx: Tx, group: Group, at: Date): Promise<Locked<Group>> {
    const { raw } = (await tx
      .createQueryBuilder()
      .insert()
      .into(GroupRow)
      .values({ ...toColumns(group), mlsGroupId: group.mlsGroupId, address: group.address, changedAt: at })
      .orIgnore()
      .returning('mls_group_id')
      .execute()) as { raw: unknown[] };
    if (raw.length === 0) throw new Fault('group.address-taken', { address: group.address });
    await this.feed.record(tx, appeared(group));
    return group as Locked<Group>;
  }

  /** Throws `internal` when the stored group is not the one that was locked. */
  async save(tx: Tx, locked: Locked<Group>, next: Group, at: Date): Promise<Locked<Group>> {
    const { affected } = await tx.update(
      GroupRow,
      { mlsGroupId: locked.mlsGroupId, epoch: String(locked.epoch), state: locked.state },
      { ...toColumns(next), changedAt: at },
    );
    if (affected !== 1) throw new Fault('internal', { what: 'group changed under its lock', group: locked.mlsGroupId });
    await this.feed.record(tx, ...movedOn(locked, next));
    return next as Locked<Group>;
  }
}

const toColumns = ({ epoch: at, state, instance, history, admins, submitted, quietUntil }: Group) => ({
  epoch: String(at),
  state,
  instance,
  history,
  admins: [...admins],
  submitted: submitted ?? null,
  quietUntil: quietUntil ?? null,
});

const toGroup = (row: GroupRow): Group => ({
  mlsGroupId: row.mlsGroupId as MlsGroupId,
  address: row.address as OcmAddress,
  epoch: epoch(Number(row.epoch)),
  state: row.state,
  instance: row.instance,
  history: row.history,
  admins: row.admins as OcmAddress[],
  ...(row.submitted === null ? {} : { submitted: row.submitted as CommitDigest }),
  ...(row.quietUntil === null ? {} : { quietUntil: row.quietUntil }),
});

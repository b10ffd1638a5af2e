import { Injectable } from '@nestjs/common';
import { Column, Entity, In, LessThanOrEqual, MoreThan, MoreThanOrEqual, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { FaultCode } from '../kernel/fault.js';
import { type CommitDigest, epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import { FeedRecorder } from '../feed/recorder.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import type { Tx } from '../platform/transaction.service.js';
import type { Approval } from './approval.js';
import { askedFor, cameToNothing, withdrawn } from './change-audit.js';
import { afterRevert, type Change, type ChangeKind, type ChangeState, OPEN_STATES, type Unsettled } from './change.js';
import { changeEvents } from './group-events.js';
import type { Group } from './group.js';
import { GroupRepository } from './group.repository.js';

@Entity('membership_change')
export class ChangeRow {
  @PrimaryColumn('uuid') id!: string;
  /** The order in which changes were asked for; the clock alone does not tell within one millisecond. */
  @Column({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' }) number!: string;
  @Column('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('text') kind!: ChangeKind;
  @Column('text') subject!: string;
  @Column('text') actor!: string;
  @Column('boolean') approved!: boolean;
  @Column('text') state!: ChangeState;
  @Column('bytea', { name: 'key_package', nullable: true }) keyPackage!: Buffer | null;
  @Column('text', { nullable: true }) digest!: string | null;
  @Column('bigint', { name: 'proposed_in', nullable: true }) proposedIn!: string | null;
  @Column('bigint', { nullable: true }) epoch!: string | null;
  @Column('text', { nullable: true }) fault!: string | null;
  @Column('integer') tries!: number;
  @Column('timestamptz', { name: 'next_try_at' }) nextTryAt!: Date;
  @Column('timestamptz', { name: 'requested_at' }) requestedAt!: Date;
}

/** Whoever begins a change, and however one comes to nothing, it is told to the audit log; how it ended, to the feed. */
@Injectable()
export class ChangeRepository {
  constructor(
    private readonly groups: GroupRepository,
    private readonly audit: AuditLog,
    private readonly feed: FeedRecorder,
  ) {}

  async add(tx: Tx, change: Change): Promise<void> {
    await tx.insert(ChangeRow, toRow(change));
    const group = await this.groups.byId(tx, change.mlsGroupId);
    if (group) await this.audit.record(tx, askedFor(change, group));
  }

  async save(tx: Tx, change: Change): Promise<void> {
    const { id, ...columns } = toRow(change);
    await tx.update(ChangeRow, { id }, columns);
    if (OPEN_STATES.includes(change.state)) return;
    const group = await this.groups.byId(tx, change.mlsGroupId);
    if (!group) return;
    if (change.state === 'refused') await this.audit.record(tx, cameToNothing(change, group));
    if (change.state === 'withdrawn') await this.audit.record(tx, withdrawn(change, group));
    await this.feed.record(tx, ...changeEvents(change, group));
  }

  async byId(tx: Tx, id: string): Promise<Change | undefined> {
    const row = await tx.findOneBy(ChangeRow, { id });
    return row ? toChange(row) : undefined;
  }

  /** Those of the group and of all that it is the successor of, newest first. */
  async of(tx: Tx, { address }: Pick<Group, 'address'>, most: number): Promise<Change[]> {
    const rows = await tx
      .createQueryBuilder(ChangeRow, 'change')
      .where('change.mlsGroupId IN (SELECT mls_group_id FROM federated_group WHERE address = :address)', { address })
      .orderBy('change.number', 'DESC')
      .limit(most)
      .getMany();
    return rows.map(toChange);
  }

  /** What is not settled yet, oldest first. */
  async open(tx: Tx, mlsGroupId: MlsGroupId): Promise<Change[]> {
    const where = { mlsGroupId, state: In([...OPEN_STATES]) };
    return (await tx.find(ChangeRow, { where, order: { number: 'ASC' } })).map(toChange);
  }

  /** What is not settled yet in any of the groups, or is about any of the users, oldest first. */
  async unsettled(
    tx: Tx,
    of: { readonly groups: readonly MlsGroupId[] } | { readonly subjects: readonly OcmAddress[] },
  ): Promise<Unsettled[]> {
    const [column, values] = 'groups' in of ? ['mls_group_id', of.groups] : ['subject', of.subjects];
    // The states stand in the text, so that the partial indexes are used.
    return tx.query<Unsettled[]>(
      `SELECT c.id, c.mls_group_id AS "mlsGroupId", g.address AS "group", c.kind, c.subject, c.actor, c.state,
         c.requested_at AS "requestedAt"
       FROM membership_change c JOIN federated_group g ON g.mls_group_id = c.mls_group_id
       WHERE c.${column} = ANY ($1::text[]) AND c.state IN (${OPEN_STATES.map((state) => `'${state}'`).join(', ')})
       ORDER BY c.number`,
      [values],
    );
  }

  /** The group is back in the epoch `at`: what was done later is not done, and what is not settled begins anew there. */
  async reopenAfter(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch, now: Date): Promise<void> {
    const where = [
      { mlsGroupId, state: In([...OPEN_STATES]) },
      { mlsGroupId, state: 'done' as const, epoch: MoreThan(String(at)) },
    ];
    const lost = await tx.find(ChangeRow, { where, order: { number: 'ASC' } });
    for (const row of lost) await this.save(tx, afterRevert(toChange(row), now));
  }

  /** What was done in the epochs from `at` on. */
  async doneSince(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<Change[]> {
    const where = { mlsGroupId, state: 'done' as const, epoch: MoreThanOrEqual(String(at)) };
    return (await tx.find(ChangeRow, { where, order: { number: 'ASC' } })).map(toChange);
  }

  /** What is not settled goes along to the successor and begins anew there. What is settled was so in the old group's epochs. */
  async move(tx: Tx, from: MlsGroupId, to: MlsGroupId, now: Date): Promise<void> {
    for (const change of await this.open(tx, from)) {
      await this.save(tx, { ...afterRevert(change, now), mlsGroupId: to });
    }
  }

  /** What a member of this server proposes, and an approval is asked for. */
  async proposed(
    tx: Tx,
    { mlsGroupId, kind, subject, proposer }: Pick<Approval, 'mlsGroupId' | 'kind' | 'subject' | 'proposer'>,
  ): Promise<Change | undefined> {
    if (proposer === undefined || kind === 'evict') return undefined;
    const row = await tx.findOneBy(ChangeRow, { mlsGroupId, kind, subject, actor: proposer, state: 'proposed' });
    return row ? toChange(row) : undefined;
  }

  /** Whether there is one of these kinds for which KeyPackages are to be fetched at `at`, though others may hold it. */
  hasRequested(tx: Tx, kinds: readonly ChangeKind[], at: Date): Promise<boolean> {
    return tx.existsBy(ChangeRow, { state: 'requested', kind: In([...kinds]), nextTryAt: LessThanOrEqual(at) });
  }

  /** One of these kinds for which KeyPackages are to be fetched, due at `at`, locked; those that others hold are passed over. */
  async nextRequested(tx: Tx, kinds: readonly ChangeKind[], at: Date): Promise<Change | undefined> {
    const [row] = await tx
      .createQueryBuilder(ChangeRow, 'change')
      .where(`change.state = 'requested' AND change.kind IN (:...kinds) AND change.nextTryAt <= :at`, { kinds, at })
      .orderBy('change.nextTryAt')
      .addOrderBy('change.number')
      .limit(1)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getMany();
    return row ? toChange(row) : undefined;
  }
}

const toRow = (change: Change): Omit<ChangeRow, 'number'> => ({
  id: change.id,
  mlsGroupId: change.mlsGroupId,
  kind: change.kind,
  subject: change.subject,
  actor: change.actor,
  approved: change.approved,
  state: change.state,
  keyPackage: change.keyPackage ? Buffer.from(change.keyPackage) : null,
  digest: change.digest ?? null,
  proposedIn: change.proposedIn === undefined ? null : String(change.proposedIn),
  epoch: change.epoch === undefined ? null : String(change.epoch),
  fault: change.fault ?? null,
  tries: change.tries,
  nextTryAt: change.nextTryAt,
  requestedAt: change.requestedAt,
});

const toChange = (row: ChangeRow): Change => ({
  id: row.id,
  mlsGroupId: row.mlsGroupId as MlsGroupId,
  kind: row.kind,
  subject: row.subject as OcmAddress,
  actor: row.actor as OcmAddress,
  approved: row.approved,
  state: row.state,
  ...(row.keyPackage ? { keyPackage: new Uint8Array(row.keyPackage) } : {}),
  ...(row.digest === null ? {} : { digest: row.digest as CommitDigest }),
  ...(row.proposedIn === null ? {} : { proposedIn: epoch(Number(row.proposedIn)) }),
  ...(row.epoch === null ? {} : { epoch: epoch(Number(row.epoch)) }),
  ...(row.fault === null ? {} : { fault: row.fault as FaultCode }),
  tries: row.tries,
  nextTryAt: row.nextTryAt,
  requestedAt: row.requestedAt,
});

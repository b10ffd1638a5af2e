import { Injectable } from '@nestjs/common';
import { Column, Entity, IsNull, LessThanOrEqual, PrimaryColumn } from 'typeorm';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { epoch, type MlsGroupId } from '../kernel/ids.js';
import { FeedRecorder } from '../feed/recorder.service.js';
import type { Tx } from '../platform/transaction.service.js';
import type { Approval, ApprovalKind, ApprovalState, Ask } from './approval.js';
import { approvalEvent } from './group-events.js';
import { GroupRepository } from './group.repository.js';

/** What waits for an admin of this server, and how it was decided. Guarded by the lock on the group's row. */
@Entity('approval_request')
export class ApprovalRow {
  @PrimaryColumn('uuid') id!: string;
  @Column({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' }) number!: string;
  @Column('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('text') kind!: ApprovalKind;
  @Column('text') subject!: string;
  @Column('text', { nullable: true }) proposer!: string | null;
  @Column('text', { nullable: true }) server!: string | null;
  @Column('text', { nullable: true }) ref!: string | null;
  @Column('bigint', { nullable: true }) epoch!: string | null;
  @Column('text') state!: ApprovalState;
  @Column('timestamptz', { name: 'requested_at' }) requestedAt!: Date;
  @Column('timestamptz', { name: 'due_at', nullable: true }) dueAt!: Date | null;
  @Column('text', { name: 'decided_by', nullable: true }) decidedBy!: string | null;
  @Column('timestamptz', { name: 'decided_at', nullable: true }) decidedAt!: Date | null;
  @Column('text', { nullable: true }) reason!: string | null;
  @Column('uuid', { name: 'change_id', nullable: true }) changeId!: string | null;
}

/** One page of an inbox. */
const MOST_SHOWN = 200;

/** What is asked, and how that ended, is told to the feed. */
@Injectable()
export class ApprovalRepository {
  constructor(
    private readonly groups: GroupRepository,
    private readonly feed: FeedRecorder,
  ) {}

  async add(tx: Tx, approval: Approval): Promise<void> {
    await tx.insert(ApprovalRow, toRow(approval));
    await this.tell(tx, approval);
  }

  /** What was open. */
  async save(tx: Tx, approval: Approval): Promise<void> {
    const { id, ...columns } = toRow(approval);
    await tx.update(ApprovalRow, { id }, columns);
    if (approval.state !== 'open') await this.tell(tx, approval);
  }

  async byId(tx: Tx, id: string): Promise<Approval | undefined> {
    const row = await tx.findOneBy(ApprovalRow, { id });
    return row ? toApproval(row) : undefined;
  }

  /** The latest of this kind, subject and proposer. */
  async last(tx: Tx, mlsGroupId: MlsGroupId, { kind, subject, proposer }: Ask): Promise<Approval | undefined> {
    const where = { mlsGroupId, kind, subject, proposer: proposer ?? IsNull() };
    const [row] = await tx.find(ApprovalRow, { where, order: { number: 'DESC' }, take: 1 });
    return row ? toApproval(row) : undefined;
  }

  /** Oldest first. */
  async open(tx: Tx, mlsGroupId: MlsGroupId): Promise<Approval[]> {
    const where = { mlsGroupId, state: 'open' as const };
    return (await tx.find(ApprovalRow, { where, order: { number: 'ASC' } })).map(toApproval);
  }

  /** How much of what a member, and the member's server, proposed waits in a group. */
  async waiting(tx: Tx, mlsGroupId: MlsGroupId, proposer: OcmAddress): Promise<{ member: number; server: number }> {
    const where = { mlsGroupId, state: 'open' as const };
    return {
      member: await tx.countBy(ApprovalRow, { ...where, proposer }),
      server: await tx.countBy(ApprovalRow, { ...where, server: hostOf(proposer) }),
    };
  }

  /** What stands before an admin, in all active groups of which the user is one; oldest first, at most 200. */
  async ofAdmin(tx: Tx, admin: OcmAddress, state: ApprovalState): Promise<Approval[]> {
    const rows = await tx
      .createQueryBuilder(ApprovalRow, 'approval')
      .innerJoin('federated_group', 'g', 'g.mls_group_id = approval.mlsGroupId')
      .where(`approval.state = :state AND g.state = 'active' AND g.admins @> :admin::jsonb`, {
        state,
        admin: JSON.stringify([admin]),
      })
      .orderBy('approval.number')
      .limit(MOST_SHOWN)
      .getMany();
    return rows.map(toApproval);
  }

  /** Whether something was not proposed anew in time. */
  hasLapsed(tx: Tx, at: Date): Promise<boolean> {
    return tx.existsBy(ApprovalRow, { state: 'open', dueAt: LessThanOrEqual(at) });
  }

  /** Ends what was not proposed anew in time; says how many there were. */
  async lapse(tx: Tx, at: Date): Promise<number> {
    const [rows] = (await tx.query(
      `UPDATE approval_request SET state = 'lapsed', due_at = NULL WHERE state = 'open' AND due_at <= $1 RETURNING id`,
      [at],
    )) as [{ id: string }[], number];
    for (const { id } of rows) await this.tell(tx, (await this.byId(tx, id))!);
    return rows.length;
  }

  /** Forgets what ended and was asked for before `at`. */
  async forget(tx: Tx, at: Date): Promise<void> {
    await tx.query(`DELETE FROM approval_request WHERE state <> 'open' AND requested_at < $1`, [at]);
  }

  private async tell(tx: Tx, approval: Approval): Promise<void> {
    const group = await this.groups.byId(tx, approval.mlsGroupId);
    if (group) await this.feed.record(tx, approvalEvent(approval, group));
  }
}

const toRow = (approval: Approval): Omit<ApprovalRow, 'number'> => ({
  id: approval.id,
  mlsGroupId: approval.mlsGroupId,
  kind: approval.kind,
  subject: approval.subject,
  proposer: approval.proposer ?? null,
  server: approval.proposer === undefined ? null : hostOf(approval.proposer),
  ref: approval.ref ?? null,
  epoch: approval.epoch === undefined ? null : String(approval.epoch),
  state: approval.state,
  requestedAt: approval.requestedAt,
  dueAt: approval.dueAt ?? null,
  decidedBy: approval.decidedBy ?? null,
  decidedAt: approval.decidedAt ?? null,
  reason: approval.reason ?? null,
  changeId: approval.changeId ?? null,
});

const toApproval = (row: ApprovalRow): Approval => ({
  id: row.id,
  mlsGroupId: row.mlsGroupId as MlsGroupId,
  kind: row.kind,
  subject: row.subject as OcmAddress,
  ...(row.proposer === null ? {} : { proposer: row.proposer as OcmAddress }),
  ...(row.ref === null ? {} : { ref: row.ref }),
  ...(row.epoch === null ? {} : { epoch: epoch(Number(row.epoch)) }),
  state: row.state,
  requestedAt: row.requestedAt,
  ...(row.dueAt === null ? {} : { dueAt: row.dueAt }),
  ...(row.decidedBy === null ? {} : { decidedBy: row.decidedBy as OcmAddress }),
  ...(row.decidedAt === null ? {} : { decidedAt: row.decidedAt }),
  ...(row.reason === null ? {} : { reason: row.reason }),
  ...(row.changeId === null ? {} : { changeId: row.changeId }),
});

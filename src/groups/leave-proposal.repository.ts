import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import { epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';

/** Self-removals that wait for an admin of this server to commit them. */
@Entity('leave_proposal')
export class LeaveProposalRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('text') ref!: string;
  @Column('bigint') epoch!: string;
  @Column('text') leaver!: string;
  @Column('bytea') content!: Buffer;
  @Column('timestamptz', { name: 'due_at' }) dueAt!: Date;
}

export interface LeaveProposal {
  readonly mlsGroupId: MlsGroupId;
  /** ProposalRef in hex. RFC 9420 section 5.2 */
  readonly ref: string;
  readonly epoch: Epoch;
  readonly leaver: OcmAddress;
  /** The MLSMessage, verbatim as it came. */
  readonly content: Uint8Array;
  /** When an admin of this server commits it, unless the server of an earlier admin was quicker. */
  readonly dueAt: Date;
}

@Injectable()
export class LeaveProposalRepository {
  /**
   * One for each leaver and epoch, so also deduplicated by ProposalRef (OCM-MLS section 7.4.2): another one says nothing
   * new, and both in one Commit would spoil it. Guarded by the lock on the group's row.
   */
  async queue(tx: Tx, proposal: LeaveProposal): Promise<void> {
    const { mlsGroupId, leaver } = proposal;
    if (await tx.existsBy(LeaveProposalRow, { mlsGroupId, leaver, epoch: String(proposal.epoch) })) return;
    await tx
      .createQueryBuilder()
      .insert()
      .into(LeaveProposalRow)
      .values({ ...proposal, epoch: String(proposal.epoch), content: Buffer.from(proposal.content) })
      .orIgnore()
      .execute();
  }

  /** Those made in `at`; a proposal is good for its own epoch only. */
  async madeIn(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<LeaveProposal[]> {
    const rows = await tx.find(LeaveProposalRow, {
      where: { mlsGroupId, epoch: String(at) },
      order: { ref: 'ASC' },
    });
    return rows.map((row) => ({
      mlsGroupId,
      ref: row.ref,
      epoch: epoch(Number(row.epoch)),
      leaver: row.leaver as OcmAddress,
      content: new Uint8Array(row.content),
      dueAt: row.dueAt,
    }));
  }

  async forgetBefore(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<void> {
    await tx.query(`DELETE FROM leave_proposal WHERE mls_group_id = $1 AND epoch < $2`, [mlsGroupId, at]);
  }
}

import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import { epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { AutomaticKind } from './commit-plan.js';

/** Proposals that need no approval and wait for an admin of this server to commit them, by reference (D-12). */
@Entity('queued_proposal')
export class QueuedProposalRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('text') ref!: string;
  @Column('bigint') epoch!: string;
  @Column('text') kind!: AutomaticKind;
  @Column('text') proposer!: string;
  @Column('bytea') content!: Buffer;
  @Column('timestamptz', { name: 'due_at' }) dueAt!: Date;
}

export interface QueuedProposal {
  readonly mlsGroupId: MlsGroupId;
  /** ProposalRef in hex. RFC 9420 section 5.2 */
  readonly ref: string;
  readonly epoch: Epoch;
  readonly kind: AutomaticKind;
  readonly proposer: OcmAddress;
  /** The MLSMessage, verbatim as it came. */
  readonly content: Uint8Array;
  /** When an admin of this server commits it, unless the server of an earlier admin was quicker. */
  readonly dueAt: Date;
}

@Injectable()
export class QueuedProposalRepository {
  /**
   * One of a kind for each member and epoch, so also deduplicated by ProposalRef (OCM-MLS section 7.4.2): another one
   * says nothing new, and both in one Commit would spoil it. Guarded by the lock on the group's row.
   */
  async queue(tx: Tx, proposal: QueuedProposal): Promise<void> {
    const { mlsGroupId, proposer, kind } = proposal;
    if (await tx.existsBy(QueuedProposalRow, { mlsGroupId, proposer, kind, epoch: String(proposal.epoch) })) return;
    await tx
      .createQueryBuilder()
      .insert()
      .into(QueuedProposalRow)
      .values({ ...proposal, epoch: String(proposal.epoch), content: Buffer.from(proposal.content) })
      .orIgnore()
      .execute();
  }

  /** Those made in `at`; a proposal is good for its own epoch only. */
  async madeIn(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<QueuedProposal[]> {
    const rows = await tx.find(QueuedProposalRow, {
      where: { mlsGroupId, epoch: String(at) },
      order: { ref: 'ASC' },
    });
    return rows.map((row) => ({
      mlsGroupId,
      ref: row.ref,
      kind: row.kind,
      epoch: epoch(Number(row.epoch)),
      proposer: row.proposer as OcmAddress,
      content: new Uint8Array(row.content),
      dueAt: row.dueAt,
    }));
  }

  async forgetAll(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.delete(QueuedProposalRow, { mlsGroupId });
  }

  async forget(
    tx: Tx,
    { mlsGroupId, kind, proposer, epoch: at }: Pick<QueuedProposal, 'mlsGroupId' | 'kind' | 'proposer' | 'epoch'>,
  ): Promise<void> {
    await tx.delete(QueuedProposalRow, { mlsGroupId, kind, proposer, epoch: String(at) });
  }

  async forgetBefore(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<void> {
    await tx.query(`DELETE FROM queued_proposal WHERE mls_group_id = $1 AND epoch < $2`, [mlsGroupId, at]);
  }
}

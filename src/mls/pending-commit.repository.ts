import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { fromBase64url, toBase64url, wipe } from '../kernel/bytes.js';
import { type CommitDigest, epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import { Vault } from '../platform/vault.service.js';
import type { CommitFacts } from './group-view.js';
import type { LocalGroup } from './local-group.js';
import { readNext, writeNext } from './stored-next.js';

/** A Commit of ours that the owner server has not answered yet; without effect until then (OCM-MLS R-019). */
export interface PendingCommit {
  readonly digest: CommitDigest;
  /** The epoch it was made in. */
  readonly epoch: Epoch;
  readonly commit: Uint8Array;
  /** What it covers by reference, as it was sent, in the order of the references. */
  readonly proposals: readonly Uint8Array[];
  readonly welcome?: Uint8Array;
  readonly facts: CommitFacts;
}

@Entity('pending_commit')
export class PendingCommitRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('bigint') epoch!: string;
  @Column('text') digest!: string;
  @Column('bytea') commit!: Buffer;
  @Column('jsonb') proposals!: string[];
  @Column('bytea', { nullable: true }) welcome!: Buffer | null;
  @Column('jsonb') facts!: CommitFacts;
  /** The states that follow, sealed. */
  @Column('bytea') next!: Buffer;
}

/** Guarded by the lock on the group's row. */
@Injectable()
export class PendingCommitRepository {
  private readonly purpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({ table: 'pending_commit', column: 'next', row: ['mls_group_id', 'digest'] });
  }

  async add(tx: Tx, mlsGroupId: MlsGroupId, pending: PendingCommit, next: LocalGroup): Promise<void> {
    const plain = writeNext(next);
    const sealed = this.vault.seal(plain, this.purpose(mlsGroupId, pending.digest));
    wipe(plain);
    await tx.insert(PendingCommitRow, {
      mlsGroupId,
      epoch: String(pending.epoch),
      digest: pending.digest,
      commit: Buffer.from(pending.commit),
      proposals: pending.proposals.map(toBase64url),
      welcome: pending.welcome ? Buffer.from(pending.welcome) : null,
      facts: pending.facts,
      next: Buffer.from(sealed),
    });
  }

  async digestOf(tx: Tx, mlsGroupId: MlsGroupId): Promise<CommitDigest | undefined> {
    const row = await tx.findOne(PendingCommitRow, {
      where: { mlsGroupId },
      select: { mlsGroupId: true, digest: true },
    });
    return row?.digest as CommitDigest | undefined;
  }

  async find(tx: Tx, mlsGroupId: MlsGroupId): Promise<PendingCommit | undefined> {
    const row = await tx.findOneBy(PendingCommitRow, { mlsGroupId });
    return row ? toPending(row) : undefined;
  }

  /** With the states that follow it, and no longer stored. */
  async take(tx: Tx, mlsGroupId: MlsGroupId): Promise<{ pending: PendingCommit; next: LocalGroup } | undefined> {
    const row = await tx.findOneBy(PendingCommitRow, { mlsGroupId });
    if (!row) return undefined;
    const plain = this.vault.open(row.next, this.purpose(mlsGroupId, row.digest));
    await this.remove(tx, mlsGroupId);
    return { pending: toPending(row), next: readNext(plain) };
  }

  async remove(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.delete(PendingCommitRow, { mlsGroupId });
  }
}

const toPending = (row: PendingCommitRow): PendingCommit => ({
  digest: row.digest as CommitDigest,
  epoch: epoch(Number(row.epoch)),
  commit: new Uint8Array(row.commit),
  proposals: row.proposals.map(fromBase64url),
  facts: row.facts,
  ...(row.welcome ? { welcome: new Uint8Array(row.welcome) } : {}),
});

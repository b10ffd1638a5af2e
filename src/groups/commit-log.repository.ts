import { Injectable } from '@nestjs/common';
import { Column, Entity, MoreThanOrEqual, PrimaryColumn } from 'typeorm';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { fromBase64url, toBase64url } from '../kernel/bytes.js';
import { type CommitDigest, epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import { type CommitRecord, FOLLOWED } from './group.js';
import type { RosterStep } from './missed-commits.js';

/** Append-only but for Commits that are taken back (OCM-MLS R-090); its primary key is "one Commit per epoch" (OCM-MLS R-015) as the database sees it. */
@Entity('commit_log')
export class CommitRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('bigint') epoch!: string;
  @Column('text') digest!: string;
  @Column('text') arbiter!: string;
  @Column('text') committer!: string;
  @Column('jsonb') added!: string[];
  @Column('jsonb') removed!: string[];
  @Column('bytea') commit!: Buffer;
  @Column('jsonb') proposals!: string[];
  @Column('timestamptz', { name: 'recorded_at' }) recordedAt!: Date;
}

@Injectable()
export class CommitLogRepository {
  async append(tx: Tx, record: CommitRecord): Promise<void> {
    await tx.insert(CommitRow, {
      ...record,
      epoch: String(record.epoch),
      added: [...record.added],
      removed: [...record.removed],
      commit: Buffer.from(record.commit),
      proposals: record.proposals.map(toBase64url),
    });
  }

  /** The digest of the Commit that ended `at`, as far as the log goes back. */
  async digestOf(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<CommitDigest | undefined> {
    const row = await tx.findOneBy(CommitRow, { mlsGroupId, epoch: String(at) });
    return row?.digest as CommitDigest | undefined;
  }

  /** Of the whole log, in the order of the epochs. */
  async digests(tx: Tx, mlsGroupId: MlsGroupId): Promise<Pick<CommitRecord, 'epoch' | 'digest'>[]> {
    const rows = await tx.find(CommitRow, {
      select: { epoch: true, digest: true },
      where: { mlsGroupId },
      order: { epoch: 'ASC' },
    });
    return rows.map((row) => ({ epoch: epoch(Number(row.epoch)), digest: row.digest as CommitDigest }));
  }

  /** The Commit that ended `at`, as far as the log goes back. */
  async find(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<CommitRecord | undefined> {
    const row = await tx.findOneBy(CommitRow, { mlsGroupId, epoch: String(at) });
    return row ? toRecord(row) : undefined;
  }

  /** From `at` on, in the order of the epochs; all of them, or `most`. */
  async since(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch, most?: number): Promise<CommitRecord[]> {
    if (most === 0) return [];
    const where = { mlsGroupId, epoch: MoreThanOrEqual(String(at)) };
    const limit = most === undefined ? {} : { take: most };
    return (await tx.find(CommitRow, { where, order: { epoch: 'ASC' }, ...limit })).map(toRecord);
  }

  /** What the Commits from `at` on did to the roster, without the Commits themselves. */
  async steps(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<RosterStep[]> {
    const rows = (await tx.query(
      `SELECT epoch, added, removed, octet_length(commit) + octet_length(proposals::text) AS bytes FROM commit_log
       WHERE mls_group_id = $1 AND epoch >= $2 ORDER BY epoch`,
      [mlsGroupId, at],
    )) as { epoch: string; added: OcmAddress[]; removed: OcmAddress[]; bytes: number }[];
    return rows.map((row) => ({ ...row, epoch: epoch(Number(row.epoch)) }));
  }

  /** The servers that had users taken in again by Commits from `at` on: who rejoins is removed and added. */
  async rejoinedSince(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<Host[]> {
    const rows = await tx.query<{ address: OcmAddress }[]>(
      `SELECT DISTINCT added.address FROM commit_log c, jsonb_array_elements_text(c.added) AS added(address)
       WHERE c.mls_group_id = $1 AND c.epoch >= $2 AND c.removed ? added.address ORDER BY 1`,
      [mlsGroupId, at],
    );
    return [...new Set(rows.map(({ address }) => hostOf(address)))];
  }

  /** Those that ended `at` and what came after it: taken back, or of another history than the group's. */
  async forgetSince(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<void> {
    await tx.delete(CommitRow, { mlsGroupId, epoch: MoreThanOrEqual(String(at)) });
  }

  async forget(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.delete(CommitRow, { mlsGroupId });
  }

  /**
   * Forgets, of each group from its oldest Commit on, those recorded before `before`, but the last `leastEpochs` of a
   * group that is followed here. What stays has no gap. Returns how many, at most `most`.
   */
  async prune(
    tx: Tx,
    { before, leastEpochs, most }: { readonly before: Date; readonly leastEpochs: number; readonly most: number },
  ): Promise<number> {
    // One look at the oldest Commit of each group; only where that is to go the others are looked at.
    const [, pruned] = (await tx.query(
      `DELETE FROM commit_log WHERE (mls_group_id, epoch) IN (
         SELECT c.mls_group_id, c.epoch
         FROM (SELECT mls_group_id, epoch - CASE WHEN state = ANY ($4::text[]) THEN $2 ELSE 0 END AS up_to
           FROM federated_group) AS g
         CROSS JOIN LATERAL (SELECT epoch, recorded_at FROM commit_log
           WHERE mls_group_id = g.mls_group_id ORDER BY epoch LIMIT 1) AS oldest
         JOIN commit_log c ON c.mls_group_id = g.mls_group_id AND c.epoch < g.up_to AND c.recorded_at < $1
         WHERE oldest.epoch < g.up_to AND oldest.recorded_at < $1
         ORDER BY c.mls_group_id, c.epoch LIMIT $3)`,
      [before, leastEpochs, most, FOLLOWED],
    )) as [unknown, number];
    return pruned;
  }

  async size(tx: Tx): Promise<{ readonly commits: number; readonly bytes: number }> {
    const [row] = await tx.query<{ commits: string; bytes: string }[]>(
      `SELECT (SELECT count(*) FROM commit_log) AS commits, pg_total_relation_size('commit_log') AS bytes`,
    );
    return { commits: Number(row!.commits), bytes: Number(row!.bytes) };
  }

  async latest(tx: Tx, mlsGroupId: MlsGroupId): Promise<CommitRecord | undefined> {
    const [row] = await tx.find(CommitRow, { where: { mlsGroupId }, order: { epoch: 'DESC' }, take: 1 });
    return row ? toRecord(row) : undefined;
  }
}

const toRecord = (row: CommitRow): CommitRecord => ({
  mlsGroupId: row.mlsGroupId as MlsGroupId,
  epoch: epoch(Number(row.epoch)),
  digest: row.digest as CommitDigest,
  arbiter: row.arbiter as Host,
  committer: row.committer as OcmAddress,
  added: row.added as OcmAddress[],
  removed: row.removed as OcmAddress[],
  commit: new Uint8Array(row.commit),
  proposals: row.proposals.map(fromBase64url),
  recordedAt: row.recordedAt,
});

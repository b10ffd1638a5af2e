import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Host, OcmAddress } from '../kernel/address.js';
import { fromBase64url, toBase64url } from '../kernel/bytes.js';
import { epoch, type Epoch, type CommitDigest, type MlsGroupId } from '../kernel/ids.js';
import type { FreshKeyPackage } from '../mls/state-loss.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { type Reach, REACH } from './group.repository.js';
import type { DriftReason } from './drift.js';

interface StoredCommit {
  readonly digest: string;
  readonly epoch: number;
  readonly content: string;
  readonly proposals: readonly string[];
  readonly at: string;
}

/** A group that this server cannot follow any more, until a Welcome brings it back. OCM-MLS section 7.6 */
@Entity('group_drift')
export class DriftRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('text') reason!: DriftReason;
  @Column('timestamptz') since!: Date;
  @Column('jsonb', { name: 'key_packages' }) keyPackages!: { userId: string; ref: string; content: string }[];
  @Column('timestamptz', { name: 'offered_at', nullable: true }) offeredAt!: Date | null;
  @Column('integer') rounds!: number;
  @Column('timestamptz', { name: 'due_at' }) dueAt!: Date;
  @Column('text', { name: 'denied_by', array: true }) deniedBy!: string[];
  @Column('text', { array: true }) named!: string[];
  @Column('jsonb', { nullable: true }) arbitrated!: StoredCommit | null;
}

/** The Commit that takes our users back, accepted by us as the owner server although we cannot open it. */
export interface Arbitrated {
  readonly digest: CommitDigest;
  readonly epoch: Epoch;
  readonly content: Uint8Array;
  readonly proposals: readonly Uint8Array[];
  readonly at: Date;
}

export interface Drift {
  readonly mlsGroupId: MlsGroupId;
  readonly reason: DriftReason;
  readonly since: Date;
  /** One for each user of ours; what the admins were offered. */
  readonly keyPackages: readonly FreshKeyPackage[];
  /** When these KeyPackages were made. */
  readonly offeredAt?: Date;
  /** How often the admins were asked. */
  readonly rounds: number;
  readonly dueAt: Date;
  /** Who has said since that no user of ours is a member, or that it has no say in the group. */
  readonly deniedBy: readonly Host[];
  /** Servers with an admin now, as servers say that had one when the group was lost. */
  readonly named: readonly Host[];
  readonly arbitrated?: Arbitrated;
}

@Injectable()
export class DriftRepository {
  async save(tx: Tx, drift: Drift): Promise<void> {
    await tx.upsert(DriftRow, toRow(drift), ['mlsGroupId']);
  }

  async find(tx: Tx, mlsGroupId: MlsGroupId): Promise<Drift | undefined> {
    const row = await tx.findOneBy(DriftRow, { mlsGroupId });
    return row ? toDrift(row) : undefined;
  }

  /** The group whose admins are to be asked at `at`, the longest overdue first. */
  async due(tx: Tx, at: Date, how: Reach = 'lock'): Promise<MlsGroupId | undefined> {
    const [row] = (await tx.query(
      `SELECT d.mls_group_id FROM group_drift d JOIN federated_group g ON g.mls_group_id = d.mls_group_id
       WHERE d.due_at <= $1 ORDER BY d.due_at LIMIT 1 ${REACH[how]}`,
      [at],
    )) as { mls_group_id: MlsGroupId }[];
    return row?.mls_group_id;
  }

  async forget(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.delete(DriftRow, { mlsGroupId });
  }
}

const toRow = ({ keyPackages, offeredAt, arbitrated, deniedBy, named, ...drift }: Drift): DriftRow => ({
  ...drift,
  deniedBy: [...deniedBy],
  named: [...named],
  keyPackages: keyPackages.map(({ content, ...rest }) => ({ ...rest, content: toBase64url(content) })),
  offeredAt: offeredAt ?? null,
  arbitrated: arbitrated
    ? {
        ...arbitrated,
        content: toBase64url(arbitrated.content),
        proposals: arbitrated.proposals.map(toBase64url),
        at: arbitrated.at.toISOString(),
      }
    : null,
});

const toDrift = ({ mlsGroupId, keyPackages, offeredAt, arbitrated, deniedBy, named, ...row }: DriftRow): Drift => ({
  ...row,
  deniedBy: deniedBy as Host[],
  named: named as Host[],
  mlsGroupId: mlsGroupId as MlsGroupId,
  keyPackages: keyPackages.map(({ userId, ref, content }) => ({
    userId: userId as OcmAddress,
    ref,
    content: fromBase64url(content),
  })),
  ...(offeredAt === null ? {} : { offeredAt }),
  ...(arbitrated === null
    ? {}
    : {
        arbitrated: {
          digest: arbitrated.digest as CommitDigest,
          epoch: epoch(arbitrated.epoch),
          content: fromBase64url(arbitrated.content),
          proposals: arbitrated.proposals.map(fromBase64url),
          at: new Date(arbitrated.at),
        },
      }),
});

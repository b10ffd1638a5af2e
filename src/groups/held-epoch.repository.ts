import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { CommitDigest, Epoch, MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { Group } from './group.js';
import type { RosterCopy } from './member.repository.js';

/** A group as it stood before a Commit that may have to be taken back; its MLS state is held by `mls`. */
@Entity('held_epoch')
export class HeldEpochRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('bigint') epoch!: string;
  @Column('jsonb') admins!: string[];
  @Column('jsonb') roster!: readonly object[];
  @Column('text', { nullable: true }) submitted!: string | null;
  @Column('timestamptz', { name: 'held_until' }) heldUntil!: Date;
}

export interface HeldEpoch extends Pick<Group, 'mlsGroupId' | 'epoch' | 'admins' | 'submitted'> {
  readonly roster: RosterCopy;
}

/** Guarded by the lock on the group's row. */
@Injectable()
export class HeldEpochRepository {
  /** False when the epoch is held already: its time is counted from the first Commit that left it. */
  async hold(tx: Tx, { mlsGroupId, epoch, admins, submitted, roster }: HeldEpoch, heldUntil: Date): Promise<boolean> {
    const { raw } = (await tx
      .createQueryBuilder()
      .insert()
      .into(HeldEpochRow)
      .values({
        mlsGroupId,
        epoch: String(epoch),
        admins: [...admins],
        roster: [...roster],
        submitted: submitted ?? null,
        heldUntil,
      })
      .orIgnore()
      .returning('epoch')
      .execute()) as { raw: unknown[] };
    return raw.length > 0;
  }

  /** Undefined when it is not held, or should not be any more. */
  async find(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch, now: Date): Promise<HeldEpoch | undefined> {
    const row = await tx.findOneBy(HeldEpochRow, { mlsGroupId, epoch: String(at) });
    if (!row || row.heldUntil <= now) return undefined;
    return {
      mlsGroupId,
      epoch: at,
      admins: row.admins as OcmAddress[],
      roster: row.roster as RosterCopy,
      ...(row.submitted === null ? {} : { submitted: row.submitted as CommitDigest }),
    };
  }

  /** Whether the group may still go back to an epoch before the present one. */
  async holdsAny(tx: Tx, mlsGroupId: MlsGroupId, now: Date): Promise<boolean> {
    const rows = (await tx.query(`SELECT 1 FROM held_epoch WHERE mls_group_id = $1 AND held_until > $2 LIMIT 1`, [
      mlsGroupId,
      now,
    ])) as unknown[];
    return rows.length > 0;
  }

  /** Those of later epochs than `at`, which belong to a history that is none any more. */
  async forgetAfter(tx: Tx, mlsGroupId: MlsGroupId, at: Epoch): Promise<void> {
    await tx.query(`DELETE FROM held_epoch WHERE mls_group_id = $1 AND epoch > $2`, [mlsGroupId, at]);
  }

  async forgetExpired(tx: Tx, at: Date): Promise<void> {
    await tx.query(`DELETE FROM held_epoch WHERE held_until <= $1`, [at]);
  }
}

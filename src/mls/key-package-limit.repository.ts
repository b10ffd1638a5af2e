import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Tx } from '../platform/transaction.service.js';
import type { Allowance } from './key-package-limits.js';

/** How far a subject has spent into the future. In the database, so that all replicas count together. */
@Entity('key_package_limit')
export class KeyPackageLimitRow {
  @PrimaryColumn('text') subject!: string;
  @Column('timestamptz', { name: 'spent_until' }) spentUntil!: Date;
}

@Injectable()
export class KeyPackageLimitRepository {
  /** Spends `cost` requests; when there are not so many left, spends none and returns how long to wait, in ms. */
  async spend(tx: Tx, subject: string, { everyMs, burst }: Allowance, cost: number, at: Date): Promise<number> {
    const latest = new Date(at.getTime() + (burst - cost) * everyMs);
    const [spent] = (await tx.query(
      `INSERT INTO key_package_limit AS l (subject, spent_until) VALUES ($1, $2::timestamptz + $3 * interval '1 ms')
       ON CONFLICT (subject) DO UPDATE SET spent_until = greatest(l.spent_until, $2) + $3 * interval '1 ms'
       WHERE l.spent_until <= $4 RETURNING subject`,
      [subject, at, cost * everyMs, latest],
    )) as { subject: string }[];
    if (spent) return 0;
    const row = await tx.findOneBy(KeyPackageLimitRow, { subject });
    return Math.max(1, (row?.spentUntil.getTime() ?? 0) - latest.getTime());
  }

  /** Whoever has spent nothing that still counts. */
  async forget(tx: Tx, at: Date): Promise<void> {
    await tx.query(`DELETE FROM key_package_limit WHERE spent_until < $1`, [at]);
  }
}

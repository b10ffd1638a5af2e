import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Allowance } from './allowance.js';
import type { Tx } from './transaction.service.js';

@Entity('rate_limit')
export class RateLimitRow {
  /** Who is limited in what. */
  @PrimaryColumn('text') subject!: string;
  @Column('timestamptz', { name: 'spent_until' }) spentUntil!: Date;
}

/** How far each subject has spent its allowance into the future. In the database, so that all replicas count together. */
@Injectable()
export class RateLimits {
  /** Spends `cost`; when there is not so much left, spends nothing and returns how long to wait, in ms. */
  async spend(tx: Tx, subject: string, { everyMs, burst }: Allowance, cost: number, at: Date): Promise<number> {
    const latest = new Date(at.getTime() + (burst - cost) * everyMs);
    const [spent] = (await tx.query(
      `INSERT INTO rate_limit AS l (subject, spent_until) VALUES ($1, $2::timestamptz + $3 * interval '1 ms')
       ON CONFLICT (subject) DO UPDATE SET spent_until = greatest(l.spent_until, $2) + $3 * interval '1 ms'
       WHERE l.spent_until <= $4 RETURNING subject`,
      [subject, at, cost * everyMs, latest],
    )) as { subject: string }[];
    return spent ? 0 : Math.max(1, await this.over(tx, subject, latest));
  }

  /** How long `subject` has to wait until it could spend 1, in ms; spends nothing. */
  wait(tx: Tx, subject: string, { everyMs, burst }: Allowance, at: Date): Promise<number> {
    return this.over(tx, subject, new Date(at.getTime() + (burst - 1) * everyMs));
  }

  /** Whoever has spent nothing that still counts. */
  async forget(tx: Tx, at: Date): Promise<void> {
    await tx.query('DELETE FROM rate_limit WHERE spent_until < $1', [at]);
  }

  private async over(tx: Tx, subject: string, latest: Date): Promise<number> {
    const row = await tx.findOneBy(RateLimitRow, { subject });
    return Math.max(0, (row?.spentUntil.getTime() ?? 0) - latest.getTime());
  }
}

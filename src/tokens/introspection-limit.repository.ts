import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Tx } from '../platform/transaction.service.js';

/** A failed answer counts for so long, and so many of them may be open. */
const EACH_MS = 1_000;
const BURST = 60;

/** How far a caller has spent its failures into the future. In the database, so that all replicas count together. */
@Entity('introspection_limit')
export class IntrospectionLimitRow {
  @PrimaryColumn('text') caller!: string;
  @Column('timestamptz', { name: 'spent_until' }) spentUntil!: Date;
}

@Injectable()
export class IntrospectionLimitRepository {
  /** How long the caller has to wait, in ms. */
  async wait(tx: Tx, caller: string, at: Date): Promise<number> {
    const row = await tx.findOneBy(IntrospectionLimitRow, { caller });
    return Math.max(0, (row?.spentUntil.getTime() ?? 0) - (at.getTime() + (BURST - 1) * EACH_MS));
  }

  async failed(tx: Tx, caller: string, at: Date): Promise<void> {
    await tx.query(
      `INSERT INTO introspection_limit AS l (caller, spent_until) VALUES ($1, $2::timestamptz + $3 * interval '1 ms')
       ON CONFLICT (caller) DO UPDATE SET spent_until = greatest(l.spent_until, $2) + $3 * interval '1 ms'`,
      [caller, at, EACH_MS],
    );
    await tx.query('DELETE FROM introspection_limit WHERE spent_until < $1', [at]);
  }
}

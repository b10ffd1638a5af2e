import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Tx } from '../platform/transaction.service.js';

/** A signature that was accepted and could still be shown again. In the database: any replica may be shown it. */
@Entity('seen_signature')
export class SeenSignatureRow {
  @PrimaryColumn('bytea') fingerprint!: Buffer;
  @Column('timestamptz', { name: 'replayable_until' }) replayableUntil!: Date;
}

@Injectable()
export class ReplayRepository {
  /** Returns whether it is seen for the first time. */
  async remember(tx: Tx, fingerprint: Uint8Array, replayableUntil: Date): Promise<boolean> {
    const added = (await tx.query(
      `INSERT INTO seen_signature (fingerprint, replayable_until) VALUES ($1, $2)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [Buffer.from(fingerprint), replayableUntil],
    )) as unknown[];
    return added.length > 0;
  }

  /** Those that are too old to be accepted again anyway. */
  async forget(tx: Tx, now: Date): Promise<void> {
    await tx.query(`DELETE FROM seen_signature WHERE replayable_until < $1`, [now]);
  }
}

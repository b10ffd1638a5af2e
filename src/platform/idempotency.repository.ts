import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import type { Tx } from './transaction.service.js';

/** Who asked, under which name, and a digest of what was asked. */
export interface IdempotencyKey {
  readonly caller: string;
  readonly key: string;
  readonly fingerprint: string;
}

@Entity('idempotency')
export class IdempotencyRow {
  @PrimaryColumn('text') caller!: string;
  @PrimaryColumn('text') key!: string;
  @Column('text') fingerprint!: string;
  @Column('jsonb', { nullable: true }) answer!: unknown;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}

const KEPT_MS = 24 * 3_600_000;

/** Remembers what was answered to a request that names itself, so that sending it twice does it once. */
@Injectable()
export class Idempotency {
  constructor(private readonly clock: Clock) {}

  /**
   * Does the work, or gives the answer of the first time. Of two at the same time the second waits for the first.
   * `T` must survive JSON. Throws `idempotency.reused` when the key named another request.
   */
  async once<T>(tx: Tx, key: IdempotencyKey | undefined, make: () => Promise<T>): Promise<T> {
    if (key === undefined) return make();
    const { caller, fingerprint } = key;
    const inserted = await tx.query<unknown[]>(
      `INSERT INTO idempotency (caller, key, fingerprint, created_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING RETURNING key`,
      [caller, key.key, fingerprint, this.clock.now()],
    );
    if (inserted.length === 0) {
      const first = await tx.findOneByOrFail(IdempotencyRow, { caller, key: key.key });
      if (first.fingerprint !== fingerprint) throw new Fault('idempotency.reused', { key: key.key });
      return (first.answer as { value: T }).value;
    }
    const value = await make();
    await tx.query('UPDATE idempotency SET answer = $3 WHERE caller = $1 AND key = $2', [
      caller,
      key.key,
      JSON.stringify({ value }),
    ]);
    return value;
  }

  /** Forgets what is older than a day. */
  async forget(tx: Tx): Promise<void> {
    await tx.query('DELETE FROM idempotency WHERE created_at < $1', [new Date(this.clock.now().getTime() - KEPT_MS)]);
  }
}

import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ProviderKey } from '../kernel/provider-pattern.js';
import type { Tx } from '../platform/transaction.service.js';
import type { ProviderDecisions } from './provider.js';

/** Whoever can make up names must not be able to fill the table. */
const MOST_WAITING = 1_000;

/** A provider about which somebody decided something, or that waits for it. */
@Entity('trust_provider')
export class ProviderRow implements ProviderDecisions {
  @PrimaryColumn('text') key!: ProviderKey;
  /** When it first wanted to federate, or was wanted, without being known. */
  @Column('timestamptz', { name: 'asked_at', nullable: true }) askedAt!: Date | null;
  @Column('text', { nullable: true }) decision!: 'approved' | 'refused' | null;
  @Column('timestamptz', { name: 'decided_at', nullable: true }) decidedAt!: Date | null;
  @Column('text', { nullable: true }) why!: string | null;
  @Column('timestamptz', { name: 'quarantined_at', nullable: true }) quarantinedAt!: Date | null;
  @Column('text', { name: 'quarantine_why', nullable: true }) quarantineWhy!: string | null;
  /** Whether old wire forms are taken; nothing: as configured. D-02 */
  @Column('boolean', { nullable: true }) compatible!: boolean | null;
  /** Of the usual limits; nothing: as configured. */
  @Column('integer', { name: 'limit_percent', nullable: true }) limitPercent!: number | null;
}

type Changes = Partial<ProviderDecisions>;

@Injectable()
export class ProviderRepository {
  all(tx: Tx): Promise<ProviderRow[]> {
    return tx.find(ProviderRow, { order: { key: 'ASC' } });
  }

  async find(tx: Tx, key: ProviderKey): Promise<ProviderRow | undefined> {
    return (await tx.findOneBy(ProviderRow, { key })) ?? undefined;
  }

  /** The row is there afterwards, whoever made it, and nobody else changes it before the transaction ends. */
  async change(tx: Tx, key: ProviderKey, changes: Changes): Promise<void> {
    await tx.query('INSERT INTO trust_provider (key) VALUES ($1) ON CONFLICT DO NOTHING', [key]);
    await tx.update(ProviderRow, { key }, changes);
  }

  /** Whether it is new that this one waits. Once a thousand do, others wait without being noted. */
  async asks(tx: Tx, key: ProviderKey, at: Date): Promise<boolean> {
    const noted = (await tx.query(
      `INSERT INTO trust_provider AS p (key, asked_at)
       SELECT $1, $2 WHERE (SELECT count(*) FROM trust_provider WHERE decision IS NULL AND asked_at IS NOT NULL) < $3
       ON CONFLICT (key) DO UPDATE SET asked_at = $2 WHERE p.asked_at IS NULL AND p.decision IS NULL RETURNING key`,
      [key, at, MOST_WAITING],
    )) as unknown[];
    return noted.length > 0;
  }
}

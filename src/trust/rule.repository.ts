import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Tx } from '../platform/transaction.service.js';

export type Effect = 'allow' | 'deny';

/** A pattern of hosts that operators allow or deny. */
@Entity('trust_rule')
export class RuleRow {
  @PrimaryColumn('text') effect!: Effect;
  @PrimaryColumn('text') pattern!: string;
  @Column('text') why!: string;
  @Column('timestamptz', { name: 'made_at' }) madeAt!: Date;
}

@Injectable()
export class RuleRepository {
  all(tx: Tx): Promise<RuleRow[]> {
    return tx.find(RuleRow, { order: { effect: 'ASC', pattern: 'ASC' } });
  }

  async put(tx: Tx, { effect, pattern, why, madeAt }: RuleRow): Promise<void> {
    await tx.query(
      `INSERT INTO trust_rule (effect, pattern, why, made_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (effect, pattern) DO UPDATE SET why = $3, made_at = $4`,
      [effect, pattern, why, madeAt],
    );
  }

  /** Whether there was one. */
  async remove(tx: Tx, effect: Effect, pattern: string): Promise<boolean> {
    return (await tx.delete(RuleRow, { effect, pattern })).affected === 1;
  }
}

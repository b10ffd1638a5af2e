import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Tx } from '../platform/transaction.service.js';

/** One row at most: how often anything that decides about trust was changed, so that every replica sees it with one look. */
@Entity('trust_version')
export class TrustVersionRow {
  @PrimaryColumn('boolean') lone!: boolean;
  @Column('bigint') version!: string;
}

const NEVER_CHANGED = '0';

@Injectable()
export class TrustVersion {
  async read(tx: Tx): Promise<string> {
    return (await tx.findOneBy(TrustVersionRow, { lone: true }))?.version ?? NEVER_CHANGED;
  }

  /** In the transaction that changes something. The row stays locked, so that changes come one after the other. */
  async raise(tx: Tx): Promise<void> {
    await tx.query(
      `INSERT INTO trust_version AS v (lone, version) VALUES (true, 1)
       ON CONFLICT (lone) DO UPDATE SET version = v.version + 1`,
    );
  }
}

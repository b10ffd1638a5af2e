import { Injectable } from '@nestjs/common';
import { Column, Entity, In, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';

/** A Welcome that was joined: the same one again is no news, another one for the same KeyPackage is refused. */
export interface JoinedWelcome {
  /** SHA-256 of the Welcome's message, in hex. */
  readonly digest: string;
  readonly address: OcmAddress;
  /** Of the KeyPackage, in hex. */
  readonly ref: string;
  readonly mlsGroupId: MlsGroupId;
}

@Entity('joined_welcome')
export class JoinedWelcomeRow {
  @PrimaryColumn('text') digest!: string;
  @PrimaryColumn('text') address!: string;
  @Column('text') ref!: string;
  @Column('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('timestamptz', { name: 'joined_at' }) joinedAt!: Date;
}

@Injectable()
export class JoinedWelcomeRepository {
  async add(tx: Tx, welcome: JoinedWelcome, joinedAt: Date): Promise<void> {
    await tx.insert(JoinedWelcomeRow, { ...welcome, joinedAt });
  }

  async find(tx: Tx, digest: string, address: OcmAddress): Promise<JoinedWelcome | undefined> {
    const row = await tx.findOneBy(JoinedWelcomeRow, { digest, address });
    return row ? { digest, address, ref: row.ref, mlsGroupId: row.mlsGroupId as MlsGroupId } : undefined;
  }

  /** Whether one of these KeyPackages has joined a group already. */
  async knows(tx: Tx, refs: readonly string[], address: OcmAddress): Promise<boolean> {
    return tx.existsBy(JoinedWelcomeRow, { ref: In([...refs]), address });
  }

  async removeBefore(tx: Tx, at: Date): Promise<void> {
    await tx.query(`DELETE FROM joined_welcome WHERE joined_at < $1`, [at]);
  }
}

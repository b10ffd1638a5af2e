import { Injectable } from '@nestjs/common';
import { Column, Entity, In, PrimaryColumn } from 'typeorm';
import type { Tx } from '../platform/transaction.service.js';
import type { Jwk } from './jwk-set.js';
import { KEY_STATES, type KeyKind, type KeyState } from './key-rotation.js';
import type { SignatureAlgorithm } from './signature-algorithm.js';

@Entity('server_key')
export class ServerKeyRow {
  @PrimaryColumn('text') kid!: string;
  @Column('text') kind!: KeyKind;
  @Column('text') alg!: SignatureAlgorithm;
  @Column('text') state!: KeyState;
  @Column('jsonb', { name: 'public_jwk' }) publicJwk!: Jwk;
  /** PKCS#8, sealed. */
  @Column('bytea', { name: 'private_sealed' }) privateSealed!: Buffer;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'retired_at', nullable: true }) retiredAt!: Date | null;
}

/** The keys of this server, shared by its replicas. */
@Injectable()
export class ServerKeyRepository {
  /** Those that are published. */
  published(tx: Tx): Promise<ServerKeyRow[]> {
    return tx.find(ServerKeyRow, {
      where: { state: In([...KEY_STATES]) },
      order: { kind: 'ASC', createdAt: 'DESC', kid: 'ASC' },
    });
  }

  /** The one that signs, locked. */
  async current(tx: Tx, kind: KeyKind): Promise<ServerKeyRow | undefined> {
    const lock = { mode: 'pessimistic_write' } as const;
    return (await tx.findOne(ServerKeyRow, { where: { kind, state: 'current' }, lock })) ?? undefined;
  }

  /** Returns whether it was added: two keys of a kind cannot both be current, so of two replicas one comes too late. */
  async add(tx: Tx, row: ServerKeyRow): Promise<boolean> {
    const added = (await tx.query(
      `INSERT INTO server_key (kid, kind, alg, state, public_jwk, private_sealed, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING kid`,
      [row.kid, row.kind, row.alg, row.state, JSON.stringify(row.publicJwk), row.privateSealed, row.createdAt],
    )) as unknown[];
    return added.length > 0;
  }

  /** In the stead of the current one, which is retired already. */
  async promote(tx: Tx, kid: string): Promise<void> {
    await tx.update(ServerKeyRow, { kid }, { state: 'current' });
  }

  async remove(tx: Tx, kids: readonly string[]): Promise<void> {
    if (kids.length > 0) await tx.query('DELETE FROM server_key WHERE kid = ANY ($1::text[])', [kids]);
  }

  async retire(tx: Tx, kid: string, at: Date): Promise<void> {
    await tx.update(ServerKeyRow, { kid }, { state: 'retired', retiredAt: at });
  }
}

import { Injectable } from '@nestjs/common';
import { Column, Entity, IsNull, PrimaryColumn } from 'typeorm';
import type { Host, OcmAddress } from '../kernel/address.js';
import { sameBytes } from '../kernel/bytes.js';
import type { Tx } from '../platform/transaction.service.js';
import type { SharedData } from './access-token.js';
import { type Grant, secretHash } from './grant.js';

@Entity('token_grant')
export class GrantRow {
  @PrimaryColumn('text', { name: 'provider_id' }) providerId!: string;
  @Column('uuid', { name: 'share_id' }) shareId!: string;
  @Column('bytea', { name: 'secret_hash', unique: true }) secretHash!: Buffer;
  @Column('text', { name: 'group_address' }) group!: string;
  @Column('text') sender!: string;
  @Column('text') owner!: string;
  @Column('text') recipient!: string;
  @Column('jsonb') data!: SharedData;
  @Column('timestamptz', { name: 'granted_at' }) grantedAt!: Date;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'revoked_at', nullable: true }) revokedAt!: Date | null;
}

/** Of a secret only its hash is here. */
@Injectable()
export class GrantRepository {
  /** The database refuses a second live grant for the same server and share. */
  async add(tx: Tx, grant: Grant, secret: string): Promise<void> {
    const { expiresAt, revokedAt, ...rest } = grant;
    await tx.insert(GrantRow, {
      ...rest,
      secretHash: Buffer.from(secretHash(secret)),
      expiresAt: expiresAt ?? null,
      revokedAt: revokedAt ?? null,
    });
  }

  /** Found by the hash and compared once more in constant time, so that nothing hangs on how an index compares. */
  async bySecret(tx: Tx, secret: string): Promise<Grant | undefined> {
    const hash = secretHash(secret);
    const row = await tx.findOneBy(GrantRow, { secretHash: Buffer.from(hash) });
    return row && sameBytes(new Uint8Array(row.secretHash), hash) ? toGrant(row) : undefined;
  }

  async revoke(tx: Tx, providerId: string, at: Date): Promise<void> {
    await tx.update(GrantRow, { providerId, revokedAt: IsNull() }, { revokedAt: at });
  }

  /** All secrets of a share die. */
  async revokeShare(tx: Tx, shareId: string, at: Date): Promise<void> {
    await tx.update(GrantRow, { shareId, revokedAt: IsNull() }, { revokedAt: at });
  }
}

const toGrant = ({ secretHash: _, expiresAt, revokedAt, ...row }: GrantRow): Grant => ({
  ...row,
  group: row.group as OcmAddress,
  sender: row.sender as OcmAddress,
  owner: row.owner as OcmAddress,
  recipient: row.recipient as Host,
  ...(expiresAt ? { expiresAt } : {}),
  ...(revokedAt ? { revokedAt } : {}),
});

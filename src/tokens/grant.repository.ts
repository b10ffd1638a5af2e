import { Injectable } from '@nestjs/common';
import { Column, Entity, In, IsNull, PrimaryColumn } from 'typeorm';
import type { Host, OcmAddress } from '../kernel/address.js';
import { sameBytes } from '../kernel/bytes.js';
import { epoch } from '../kernel/ids.js';
import { type GroupState, isFollowed } from '../groups/group.js';
import type { Tx } from '../platform/transaction.service.js';
import type { SharedData } from './access-token.js';
import { type Grant, secretHash, type Standing } from './grant.js';

@Entity('token_grant')
export class GrantRow {
  @PrimaryColumn('text', { name: 'provider_id' }) providerId!: string;
  @Column('uuid', { name: 'share_id' }) shareId!: string;
  @Column('bytea', { name: 'secret_hash', unique: true }) secretHash!: Buffer;
  /** Of the secret that takes its place once it was delivered. */
  @Column('bytea', { name: 'next_hash', unique: true, nullable: true }) nextHash!: Buffer | null;
  /** Good until the server has the one that takes its place. */
  @Column('boolean') outgoing!: boolean;
  @Column('text', { name: 'group_address' }) group!: string;
  @Column('text') sender!: string;
  @Column('text') owner!: string;
  @Column('text') recipient!: string;
  @Column('jsonb') data!: SharedData;
  @Column('boolean', { default: false }) provisioned!: boolean;
  @Column('boolean', { default: false }) delegated!: boolean;
  @Column('timestamptz', { name: 'granted_at' }) grantedAt!: Date;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'revoked_at', nullable: true }) revokedAt!: Date | null;
}

/** The group as the statement joins it; nothing of it when there is no such group. */
interface Stands {
  readonly epoch: string | null;
  readonly state: GroupState | null;
  readonly hasSender: boolean;
  readonly members: readonly OcmAddress[];
}

/** A grant, and how its group stands; nothing of it when there is no such group. */
export interface Asked {
  readonly grant: Grant;
  readonly standing: Standing | undefined;
}

/** Of a secret only its hash is here. */
@Injectable()
export class GrantRepository {
  /** The database refuses a second live grant for the same server and share, unless the first one is outgoing. */
  async add(tx: Tx, grant: Grant, secret: string): Promise<void> {
    const { expiresAt, revokedAt, ...rest } = grant;
    await tx.insert(GrantRow, {
      ...rest,
      secretHash: Buffer.from(secretHash(secret)),
      nextHash: null,
      outgoing: false,
      expiresAt: expiresAt ?? null,
      revokedAt: revokedAt ?? null,
    });
  }

  /**
   * The grant of a secret, and how its group stands for the server that asks: one statement, so that the epoch and the
   * members are of one moment, and no transaction is needed to ask. What `groups/` keeps is only read here. The grant is
   * found by the hash and compared once more in constant time, so that nothing hangs on how an index compares.
   */
  async ask(tx: Tx, secret: string, from: Host): Promise<Asked | undefined> {
    const hash = secretHash(secret);
    const row = await this.find(tx, { hash, from });
    return row && sameBytes(new Uint8Array(row.secretHash), hash) ? toAsked(row) : undefined;
  }

  /** The same for a server that a grant was made for, whoever asks now: by its secret, or by its name. */
  async examine(tx: Tx, by: { readonly secret: string } | { readonly providerId: string }): Promise<Asked | undefined> {
    if ('providerId' in by) {
      const named = await this.find(tx, by);
      return named && toAsked(named);
    }
    const hash = secretHash(by.secret);
    const row = await this.find(tx, { hash });
    return row && sameBytes(new Uint8Array(row.secretHash), hash) ? toAsked(row) : undefined;
  }

  /** Whether any of these secrets is one of ours, of a grant that is over included. */
  async recognises(tx: Tx, secrets: readonly string[]): Promise<boolean> {
    const hashes = secrets.map((secret) => Buffer.from(secretHash(secret)));
    return tx.existsBy(GrantRow, [{ secretHash: In(hashes) }, { nextHash: In(hashes) }]);
  }

  /** Whether any of these providerIds was made here for a share of ours, be it over. */
  async issued(tx: Tx, providerIds: readonly string[]): Promise<boolean> {
    return tx.existsBy(GrantRow, { providerId: In([...providerIds]) });
  }

  private async find(tx: Tx, by: { hash?: Uint8Array; from?: Host; providerId?: string }) {
    const [row] = await tx.query<(GrantRow & Stands)[]>(
      `SELECT t.provider_id AS "providerId", t.share_id AS "shareId",
         CASE WHEN t.next_hash = $1 THEN t.next_hash ELSE t.secret_hash END AS "secretHash",
         t.group_address AS "group", t.sender, t.owner, t.recipient, t.data, t.provisioned, t.delegated, t.granted_at AS "grantedAt",
         t.expires_at AS "expiresAt", t.revoked_at AS "revokedAt", g.epoch, g.state,
         EXISTS (SELECT 1 FROM group_member m WHERE m.mls_group_id = g.mls_group_id AND m.address = t.sender) AS "hasSender",
         (SELECT coalesce(json_agg(m.address ORDER BY m.leaf_index), '[]') FROM group_member m
          WHERE m.mls_group_id = g.mls_group_id AND m.host = coalesce($2, t.recipient)) AS members
       FROM token_grant t LEFT JOIN federated_group g ON g.address = t.group_address AND g.state <> 'superseded'
       WHERE t.secret_hash = $1 OR t.next_hash = $1 OR t.provider_id = $3`,
      [by.hash ? Buffer.from(by.hash) : null, by.from ?? null, by.providerId ?? null],
    );
    return row;
  }

  /** A second secret that opens the same. Returns whether there was a live grant. */
  async offer(tx: Tx, providerId: string, secret: string): Promise<boolean> {
    const nextHash = Buffer.from(secretHash(secret));
    const { affected } = await tx.update(GrantRow, { providerId, revokedAt: IsNull(), delegated: false }, { nextHash });
    return affected === 1;
  }

  /** The second secret takes the place of the first, which opens nothing any more. */
  async exchange(tx: Tx, providerId: string): Promise<void> {
    await tx.query(
      `UPDATE token_grant SET secret_hash = next_hash, next_hash = NULL WHERE provider_id = $1 AND next_hash IS NOT NULL`,
      [providerId],
    );
  }

  /** The second secret reached nobody, and opens nothing any more. */
  async takeBack(tx: Tx, providerId: string): Promise<void> {
    await tx.update(GrantRow, { providerId }, { nextHash: null });
  }

  /** Another grant may take its place. */
  async letGo(tx: Tx, providerId: string): Promise<void> {
    await tx.update(GrantRow, { providerId }, { outgoing: true });
  }

  /** Returns the providerIds of those that were good until now. */
  async revokeOutgoing(tx: Tx, shareId: string, recipient: Host, at: Date): Promise<string[]> {
    const [rows] = (await tx.query(
      `UPDATE token_grant SET revoked_at = $3
       WHERE share_id = $1 AND recipient = $2 AND outgoing AND revoked_at IS NULL RETURNING provider_id AS id`,
      [shareId, recipient, at],
    )) as [{ id: string }[], number];
    return rows.map(({ id }) => id);
  }

  async revoke(tx: Tx, providerId: string, at: Date): Promise<void> {
    await tx.update(GrantRow, { providerId, revokedAt: IsNull() }, { revokedAt: at });
  }

  /** What tokens of the share say from now on. */
  async changePermissions(tx: Tx, shareId: string, permissions: readonly string[]): Promise<void> {
    await tx.query(
      `UPDATE token_grant SET data = data || jsonb_build_object('permissions', $2::jsonb)
       WHERE share_id = $1 AND revoked_at IS NULL`,
      [shareId, JSON.stringify(permissions)],
    );
  }

  /** All secrets of a share die. */
  async revokeShare(tx: Tx, shareId: string, at: Date): Promise<void> {
    await tx.update(GrantRow, { shareId, revokedAt: IsNull() }, { revokedAt: at });
  }
}

function toAsked({ epoch: at, state, hasSender: senderIsMember, members, ...stored }: GrantRow & Stands): Asked {
  const standing =
    at === null || state === null
      ? undefined
      : { epoch: epoch(Number(at)), active: isFollowed({ state }), senderIsMember, members };
  return { grant: toGrant(stored), standing };
}

const toGrant = ({ secretHash: _, nextHash: __, outgoing: ___, expiresAt, revokedAt, ...row }: GrantRow): Grant => ({
  ...row,
  group: row.group as OcmAddress,
  sender: row.sender as OcmAddress,
  owner: row.owner as OcmAddress,
  recipient: row.recipient as Host,
  ...(expiresAt ? { expiresAt } : {}),
  ...(revokedAt ? { revokedAt } : {}),
});

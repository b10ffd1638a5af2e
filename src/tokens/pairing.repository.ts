import { Injectable } from '@nestjs/common';
import { Column, Entity, In, IsNull, Not, PrimaryColumn } from 'typeorm';
import { sameBytes } from '../kernel/bytes.js';
import type { JwkSet } from '../ocm/jwk-set.js';
import type { Tx } from '../platform/transaction.service.js';
import { secretHash } from './grant.js';
import type { BasicCredentials, Pairing, PairingMethod } from './pairing.js';

@Entity('pairing')
export class PairingRow {
  @PrimaryColumn('text', { name: 'client_id' }) clientId!: string;
  @Column('text') method!: PairingMethod;
  @Column('bytea', { name: 'secret_hash', nullable: true }) secretHash!: Buffer | null;
  @Column('jsonb', { nullable: true }) jwks!: JwkSet | null;
  @Column('text', { name: 'integration_api', nullable: true }) integrationApi!: string | null;
  @Column('text', { name: 'token_end_point', nullable: true }) tokenEndPoint!: string | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}

/** Of a secret only its hash is here. */
@Injectable()
export class PairingRepository {
  /** Returns whether there was none of that name, and no other that issues tokens when this one does. */
  async add(tx: Tx, pairing: Pairing, secret: string | undefined): Promise<boolean> {
    const { raw } = (await tx
      .createQueryBuilder()
      .insert()
      .into(PairingRow)
      .values({
        ...pairing,
        jwks: (pairing.jwks ?? null) as object | null,
        integrationApi: pairing.integrationApi ?? null,
        tokenEndPoint: pairing.tokenEndPoint ?? null,
        secretHash: secret === undefined ? null : Buffer.from(secretHash(secret)),
      })
      .orIgnore()
      .returning('client_id')
      .execute()) as { raw: unknown[] };
    return raw.length === 1;
  }

  async all(tx: Tx): Promise<Pairing[]> {
    return (await tx.find(PairingRow, { order: { clientId: 'ASC' } })).map(toPairing);
  }

  async remove(tx: Tx, clientId: string): Promise<boolean> {
    const { affected } = await tx.delete(PairingRow, { clientId });
    return affected === 1;
  }

  /** A server that signs. */
  async signs(tx: Tx, clientId: string): Promise<boolean> {
    return tx.existsBy(PairingRow, { clientId, method: 'signature' });
  }

  /** The one that issues tokens in our stead. */
  async tokenServer(tx: Tx): Promise<Pairing | undefined> {
    const row = await tx.findOneBy(PairingRow, { tokenEndPoint: Not(IsNull()) });
    return row ? toPairing(row) : undefined;
  }

  /** The keys of a server that shows signed JWTs. */
  async keysOf(tx: Tx, clientId: string): Promise<JwkSet | undefined> {
    return (await tx.findOneBy(PairingRow, { clientId, method: 'private_key_jwt' }))?.jwks ?? undefined;
  }

  /** By the names of those that are paired; null for who has none. */
  async integrationApis(tx: Tx, clientIds: readonly string[]): Promise<Map<string, string | null>> {
    const rows = await tx.findBy(PairingRow, { clientId: In([...clientIds]) });
    return new Map(rows.map(({ clientId, integrationApi }) => [clientId, integrationApi]));
  }

  /** Compared in constant time. That there is a pairing of that name is no secret. */
  async knows(tx: Tx, { clientId, secret }: BasicCredentials): Promise<boolean> {
    const row = await tx.findOneBy(PairingRow, { clientId, method: 'client_secret_basic' });
    const hash = secretHash(secret);
    return row?.secretHash ? sameBytes(new Uint8Array(row.secretHash), hash) : false;
  }
}

const toPairing = ({ clientId, method, jwks, integrationApi, tokenEndPoint, createdAt }: PairingRow): Pairing => ({
  clientId,
  method,
  ...(jwks ? { jwks } : {}),
  ...(integrationApi === null ? {} : { integrationApi }),
  ...(tokenEndPoint === null ? {} : { tokenEndPoint }),
  createdAt,
});

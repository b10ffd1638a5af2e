import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { Tx } from '../platform/transaction.service.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import { Vault } from '../platform/vault.service.js';

/** A user of this domain, as an MLS client. */
export interface MlsClient {
  readonly address: OcmAddress;
  readonly displayName: string;
  readonly createdAt: Date;
  /** Who is not can be invited no more, and is to be in no group. */
  readonly active: boolean;
}

@Entity('mls_client')
export class MlsClientRow {
  @PrimaryColumn('text') address!: string;
  @Column('text', { name: 'display_name' }) displayName!: string;
  @Column('bytea', { name: 'signature_key' }) signatureKey!: Buffer;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'deactivated_at', nullable: true }) deactivatedAt!: Date | null;
}

/** Each by an index of its own. */
const FOUND = `SELECT address FROM mls_client WHERE address = ANY (:ids::text[])
  UNION SELECT address FROM mls_client WHERE lower(address COLLATE "C") = ANY (:names::text[])
  UNION SELECT address FROM mls_client WHERE lower(display_name COLLATE "C") = ANY (:displayNames::text[])`;

/** Which users are looked for: those with one of these addresses or names; names with ASCII letters in lower case. */
export interface ClientKeys {
  readonly ids: readonly string[];
  readonly names: readonly string[];
  readonly displayNames: readonly string[];
}

/** Which users, by address, and how many. */
export interface ClientPage {
  /** All when absent. */
  readonly keys?: ClientKeys | undefined;
  readonly after?: string | undefined;
  readonly offset?: number | undefined;
  readonly most: number;
}

@Injectable()
export class ClientRepository {
  private readonly purpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({ table: 'mls_client', column: 'signature_key', row: ['address'] });
  }

  /** Active. Returns whether the user was new. `signatureKey` is the user's own (OCM-MLS R-011), sealed here. */
  async add(tx: Tx, client: Omit<MlsClient, 'active'>, signatureKey: Uint8Array): Promise<boolean> {
    const sealed = Buffer.from(this.vault.seal(signatureKey, this.purpose(client.address)));
    const { raw } = (await tx
      .createQueryBuilder()
      .insert()
      .into(MlsClientRow)
      .values({ ...client, signatureKey: sealed })
      .orIgnore()
      .returning('address')
      .execute()) as { raw: unknown[] };
    return raw.length === 1;
  }

  async byAddress(tx: Tx, address: OcmAddress): Promise<MlsClient | undefined> {
    const row = await tx.findOneBy(MlsClientRow, { address });
    return row ? toClient(row) : undefined;
  }

  /** Nobody else changes the user, or lets the user join a group, until the transaction ends. */
  async lock(tx: Tx, address: OcmAddress): Promise<MlsClient | undefined> {
    const row = await tx.findOne(MlsClientRow, { where: { address }, lock: { mode: 'pessimistic_write' } });
    return row ? toClient(row) : undefined;
  }

  /** Whether the user is known and not active; nobody changes that until the transaction ends. */
  async isDeactivated(tx: Tx, address: OcmAddress): Promise<boolean> {
    const row = await tx.findOne(MlsClientRow, { where: { address }, lock: { mode: 'pessimistic_read' } });
    return row !== null && row.deactivatedAt !== null;
  }

  async signatureKey(tx: Tx, address: OcmAddress): Promise<Uint8Array | undefined> {
    const row = await tx.findOneBy(MlsClientRow, { address });
    return row ? this.vault.open(row.signatureKey, this.purpose(address)) : undefined;
  }

  /** In the order of their addresses, those behind `after`. */
  async list(tx: Tx, most: number, after = ''): Promise<MlsClient[]> {
    const rows = await tx
      .createQueryBuilder(MlsClientRow, 'client')
      .where('client.address > :after', { after })
      .orderBy('client.address')
      .limit(most)
      .getMany();
    return rows.map(toClient);
  }

  /** In the order of their addresses. */
  async page(tx: Tx, { keys, after, offset, most }: ClientPage): Promise<MlsClient[]> {
    const found = tx
      .createQueryBuilder(MlsClientRow, 'client')
      .where('client.address > :after', { after: after ?? '' })
      .orderBy('client.address')
      .limit(most)
      .offset(offset ?? 0);
    if (keys) found.andWhere(`client.address IN (${FOUND})`, { ...keys });
    return (await found.getMany()).map(toClient);
  }

  count(tx: Tx): Promise<number> {
    return tx.count(MlsClientRow);
  }

  async rename(tx: Tx, address: OcmAddress, displayName: string): Promise<boolean> {
    return (await tx.update(MlsClientRow, { address }, { displayName })).affected === 1;
  }

  /** @param deactivatedAt null for a user who is active */
  async setDeactivated(tx: Tx, address: OcmAddress, deactivatedAt: Date | null): Promise<void> {
    await tx.update(MlsClientRow, { address }, { deactivatedAt });
  }

  /** With the KeyPackages. Returns whether there was such a user. */
  async remove(tx: Tx, address: OcmAddress): Promise<boolean> {
    return (await tx.delete(MlsClientRow, { address })).affected === 1;
  }
}

const toClient = ({ address, displayName, createdAt, deactivatedAt }: MlsClientRow): MlsClient => ({
  address: address as OcmAddress,
  displayName,
  createdAt,
  active: deactivatedAt === null,
});

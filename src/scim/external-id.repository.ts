import { Injectable } from '@nestjs/common';
import { Column, Entity, In, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { Tx } from '../platform/transaction.service.js';
import type { ResourceType } from './schema.js';
import { GROUPS } from './schemas.js';

/** Goes with the user. */
@Entity('user_external_id')
export class UserExternalIdRow {
  @PrimaryColumn('text') address!: string;
  @Column('text', { name: 'external_id' }) externalId!: string;
}

@Entity('group_external_id')
export class GroupExternalIdRow {
  @PrimaryColumn('text') address!: string;
  @Column('text', { name: 'external_id' }) externalId!: string;
}

const rowsOf = (type: ResourceType) => (type === GROUPS ? GroupExternalIdRow : UserExternalIdRow);

/** The ids that a client of SCIM gave to resources. Several resources may have the same one. RFC 7643 section 3.1 */
@Injectable()
export class ExternalIdRepository {
  /** By the addresses of those that have one. */
  async of(tx: Tx, type: ResourceType, addresses: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (addresses.length === 0) return new Map();
    const rows = await tx.findBy(rowsOf(type), { address: In([...addresses]) });
    return new Map(rows.map(({ address, externalId }) => [address, externalId]));
  }

  /** The addresses of all that have one of these. */
  async find(tx: Tx, type: ResourceType, externalIds: readonly string[]): Promise<string[]> {
    if (externalIds.length === 0) return [];
    const rows = await tx.findBy(rowsOf(type), { externalId: In([...externalIds]) });
    return rows.map(({ address }) => address);
  }

  /** Without an `externalId` there is none any more. */
  async put(tx: Tx, type: ResourceType, address: OcmAddress, externalId: string | undefined): Promise<void> {
    if (externalId === undefined) await tx.delete(rowsOf(type), { address });
    else await tx.upsert(rowsOf(type), { address, externalId }, ['address']);
  }
}

import { Injectable } from '@nestjs/common';
import { Column, Entity, In, LessThan, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { Entrant } from './commit-plan.js';

/** Members whose servers lost their state and wait for a Commit of an admin here. OCM-MLS R-127 */
@Entity('rejoin_request')
export class RejoinRequestRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('text') address!: string;
  @Column('bytea', { name: 'key_package' }) keyPackage!: Buffer;
  /** When the request was signed. */
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'due_at' }) dueAt!: Date;
}

export interface RejoinRequest extends Entrant {
  readonly mlsGroupId: MlsGroupId;
  readonly createdAt: Date;
  readonly dueAt: Date;
}

@Injectable()
export class RejoinRequestRepository {
  /** In the stead of an earlier one of the same user. */
  async put(tx: Tx, { keyPackage, ...request }: RejoinRequest): Promise<void> {
    const row = { ...request, keyPackage: Buffer.from(keyPackage) };
    await tx.upsert(RejoinRequestRow, row, ['mlsGroupId', 'address']);
  }

  async latest(tx: Tx, mlsGroupId: MlsGroupId, address: OcmAddress): Promise<Date | undefined> {
    return (await tx.findOneBy(RejoinRequestRow, { mlsGroupId, address }))?.createdAt;
  }

  /** When one of a group is due at `at` the others go along: each Commit costs an epoch. */
  async due(tx: Tx, mlsGroupId: MlsGroupId, at: Date): Promise<Entrant[]> {
    const rows = await tx.find(RejoinRequestRow, { where: { mlsGroupId }, order: { address: 'ASC' } });
    if (!rows.some(({ dueAt }) => dueAt <= at)) return [];
    return rows.map(({ address, keyPackage }) => ({
      address: address as OcmAddress,
      keyPackage: new Uint8Array(keyPackage),
    }));
  }

  async forget(tx: Tx, mlsGroupId: MlsGroupId, addresses: readonly OcmAddress[]): Promise<void> {
    await tx.delete(RejoinRequestRow, { mlsGroupId, address: In([...addresses]) });
  }

  /** Who still waits will have asked again. */
  async forgetBefore(tx: Tx, mlsGroupId: MlsGroupId, at: Date): Promise<void> {
    await tx.delete(RejoinRequestRow, { mlsGroupId, createdAt: LessThan(at) });
  }
}

import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import type { Entrant } from './commit-plan.js';

/** KeyPackages that were fetched for the successor of a group. */
@Entity('successor_key_package')
export class SuccessorKeyPackageRow {
  @PrimaryColumn('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @PrimaryColumn('text') address!: string;
  @Column('bytea', { name: 'key_package' }) keyPackage!: Buffer;
  @Column('timestamptz', { name: 'fetched_at' }) fetchedAt!: Date;
}

/** Guarded by the lock on the group's row. */
@Injectable()
export class SuccessorKeyPackageRepository {
  async put(tx: Tx, mlsGroupId: MlsGroupId, { address, keyPackage }: Entrant, fetchedAt: Date): Promise<void> {
    const row = { mlsGroupId, address, keyPackage: Buffer.from(keyPackage), fetchedAt };
    await tx.upsert(SuccessorKeyPackageRow, row, ['mlsGroupId', 'address']);
  }

  /** Those of the members, but for the one who makes its own. */
  async of(tx: Tx, mlsGroupId: MlsGroupId, maker: OcmAddress): Promise<Entrant[]> {
    const rows = await tx.query<{ address: OcmAddress; key_package: Buffer }[]>(
      `SELECT k.address, k.key_package FROM successor_key_package k JOIN group_member m USING (mls_group_id, address)
       WHERE k.mls_group_id = $1 AND k.address <> $2 ORDER BY m.leaf_index`,
      [mlsGroupId, maker],
    );
    return rows.map((row) => ({ address: row.address, keyPackage: new Uint8Array(row.key_package) }));
  }

  /** The members of whom there is none yet that was fetched since `since`. */
  async missing(tx: Tx, mlsGroupId: MlsGroupId, maker: OcmAddress, since: Date): Promise<OcmAddress[]> {
    const rows = await tx.query<{ address: OcmAddress }[]>(
      `SELECT m.address FROM group_member m
       LEFT JOIN successor_key_package k ON k.mls_group_id = m.mls_group_id AND k.address = m.address AND k.fetched_at >= $3
       WHERE m.mls_group_id = $1 AND m.address <> $2 AND k.address IS NULL ORDER BY m.leaf_index`,
      [mlsGroupId, maker, since],
    );
    return rows.map(({ address }) => address);
  }

  async remove(tx: Tx, mlsGroupId: MlsGroupId, address: OcmAddress): Promise<void> {
    await tx.delete(SuccessorKeyPackageRow, { mlsGroupId, address });
  }

  async removeAll(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await tx.delete(SuccessorKeyPackageRow, { mlsGroupId });
  }
}

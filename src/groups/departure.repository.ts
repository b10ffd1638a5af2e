import { Injectable } from '@nestjs/common';
import { Entity, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';

/** Somebody who was a member of the group under an address, and of whose departure nobody took note yet. */
@Entity('group_departure')
export class DepartureRow {
  @PrimaryColumn('text', { name: 'group_address' }) group!: string;
  @PrimaryColumn('text') address!: string;
}

/** Who is gone; `anybody` where epochs passed that nobody here saw. */
export type Gone = readonly OcmAddress[] | 'anybody';

/** In the stead of an address, which always has a host. */
const ANYBODY = '*';

/**
 * Whoever leaves a roster, written down as it happens: who was added and removed between two looks at a group was in it all
 * the same. Kept by the address, since a successor goes on where the group ended.
 */
@Injectable()
export class DepartureRepository {
  async note(tx: Tx, mlsGroupId: MlsGroupId, gone: readonly string[]): Promise<void> {
    if (gone.length === 0) return;
    await tx.query(
      `INSERT INTO group_departure (group_address, address)
       SELECT g.address, unnest($2::text[]) FROM federated_group g WHERE g.mls_group_id = $1 ON CONFLICT DO NOTHING`,
      [mlsGroupId, gone],
    );
  }

  /** The group is here again after epochs that were not seen: somebody may have come and gone in them. */
  async noteUnseen(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await this.note(tx, mlsGroupId, [ANYBODY]);
  }

  /** Those who are gone since this was asked last, without those of `members`, who are back. */
  async take(tx: Tx, group: OcmAddress, members: readonly OcmAddress[]): Promise<Gone> {
    const [rows] = (await tx.query('DELETE FROM group_departure WHERE group_address = $1 RETURNING address', [
      group,
    ])) as [{ address: OcmAddress }[], number];
    const addresses = rows.map(({ address }) => address).sort();
    if (addresses.some((address) => (address as string) === ANYBODY)) return 'anybody';
    return addresses.filter((address) => !members.includes(address));
  }

  /** Those whom `take` would name, without taking them. */
  async of(tx: Tx, groups: readonly OcmAddress[]): Promise<OcmAddress[]> {
    const rows = await tx.query<{ address: OcmAddress }[]>(
      'SELECT DISTINCT address FROM group_departure WHERE group_address = ANY ($1::text[]) AND address <> $2 ORDER BY 1',
      [groups, ANYBODY],
    );
    return rows.map(({ address }) => address);
  }
}

import { Injectable } from '@nestjs/common';
import { Entity, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { Tx } from '../platform/transaction.service.js';

/** A member of a group as it was last looked at: whose server has the keys of what is shared with it. */
@Entity('share_audience')
export class AudienceRow {
  @PrimaryColumn('text', { name: 'group_address' }) group!: string;
  @PrimaryColumn('text') address!: string;
}

/** Who has access to what is shared with the groups, by their addresses: a successor goes on where the group ended. */
@Injectable()
export class AudienceRepository {
  /** The group has these members now. Returns who is gone since it was last looked at. */
  async change(tx: Tx, group: OcmAddress, members: readonly OcmAddress[]): Promise<OcmAddress[]> {
    const [gone] = (await tx.query(
      'DELETE FROM share_audience WHERE group_address = $1 AND address <> ALL ($2::text[]) RETURNING address',
      [group, members],
    )) as [{ address: OcmAddress }[], number];
    await tx.query(
      `INSERT INTO share_audience (group_address, address) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`,
      [group, members],
    );
    return gone.map(({ address }) => address).sort();
  }

  async of(tx: Tx, groups: readonly OcmAddress[]): Promise<OcmAddress[]> {
    const rows = await tx.query<{ address: OcmAddress }[]>(
      'SELECT DISTINCT address FROM share_audience WHERE group_address = ANY ($1::text[]) ORDER BY 1',
      [groups],
    );
    return rows.map(({ address }) => address);
  }

  /** Those of the resources that one of `gone` has no access to any more, through no group at all. */
  async outOfReach(tx: Tx, resourceIds: readonly string[], gone: readonly OcmAddress[]): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT r.id FROM unnest($1::text[]) AS r(id) WHERE EXISTS (
         SELECT 1 FROM unnest($2::text[]) AS g(address) WHERE NOT EXISTS (
           SELECT 1 FROM share s JOIN share_audience a ON a.group_address = s.group_address
           WHERE s.ended_at IS NULL AND s.encryption->>'resourceId' = r.id AND a.address = g.address))`,
      [resourceIds, gone],
    );
    return rows.map(({ id }) => id);
  }
}

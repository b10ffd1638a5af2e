import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import { FOLLOWED, type Group } from '../groups/group.js';
import type { Tx } from '../platform/transaction.service.js';
import type { Roster, RosterPage } from './roster.js';

interface InGroup {
  readonly mlsGroupId: MlsGroupId;
  readonly address: OcmAddress;
  readonly epoch: Epoch;
  readonly state: Group['state'];
}

export interface MembersPicture extends InGroup {
  readonly members: readonly { readonly address: OcmAddress; readonly admin: boolean }[];
}

export interface Standing extends InGroup {
  readonly member: boolean;
  readonly admin: boolean;
}

/** The answer of PostgreSQL to any of the questions; bigint comes as text. */
type Row = Omit<InGroup, 'epoch'> & { epoch: string; admins: string[] };

const GROUP = 'g.mls_group_id AS "mlsGroupId", g.address, g.epoch, g.state, g.admins';

/** Each by an index of its own; superseded groups are in none. */
const FOUND = `SELECT mls_group_id FROM federated_group WHERE address = ANY ($5::text[]) AND state <> 'superseded'
  UNION SELECT mls_group_id FROM federated_group
    WHERE lower(address COLLATE "C") = ANY ($6::text[]) AND state <> 'superseded'
  UNION SELECT mls_group_id FROM group_member WHERE address = ANY ($7::text[])`;

/**
 * Questions about who is in which group. It keeps nothing of its own and only reads what `groups/` keeps: each question
 * is one statement, so that the epoch and the members are of one moment.
 */
@Injectable()
export class MembershipRepository {
  /** In the order of the leaves; `undefined` when the group is not known. */
  async members(tx: Tx, group: OcmAddress): Promise<MembersPicture | undefined> {
    const rows = await tx.query<(Row & { member: OcmAddress | null })[]>(
      `SELECT ${GROUP}, m.address AS member FROM federated_group g
       LEFT JOIN group_member m ON m.mls_group_id = g.mls_group_id
       WHERE g.address = $1 AND g.state <> 'superseded' ORDER BY m.leaf_index`,
      [group],
    );
    const [first] = rows;
    if (!first) return undefined;
    const members = rows.flatMap(({ member }) =>
      member === null ? [] : [{ address: member, admin: first.admins.includes(member) }],
    );
    return { ...inGroup(first), members };
  }

  /** Whether a user is in a group; `undefined` when the group is not known. */
  async standing(tx: Tx, group: OcmAddress, user: OcmAddress): Promise<Standing | undefined> {
    const [row] = await tx.query<(Row & { member: boolean })[]>(
      `SELECT ${GROUP}, EXISTS (
         SELECT 1 FROM group_member m WHERE m.mls_group_id = g.mls_group_id AND m.address = $2) AS member
       FROM federated_group g WHERE g.address = $1 AND g.state <> 'superseded'`,
      [group, user],
    );
    return row && { ...inGroup(row), member: row.member, admin: row.admins.includes(user) };
  }

  /** The groups that a user is in now, as far as this server has members in them too; by address. */
  async groupsOf(tx: Tx, user: OcmAddress): Promise<Standing[]> {
    const rows = await tx.query<Row[]>(
      `SELECT ${GROUP} FROM group_member m JOIN federated_group g ON g.mls_group_id = m.mls_group_id
       WHERE m.address = $1 AND g.state = ANY ($2::text[]) ORDER BY g.address`,
      [user, FOLLOWED],
    );
    return rows.map((row) => ({ ...inGroup(row), member: true, admin: row.admins.includes(user) }));
  }

  /** Followed groups with their members, by address. */
  async rosters(tx: Tx, { keys, after, offset, most, withMembers }: RosterPage): Promise<Roster[]> {
    const members = `(SELECT coalesce(jsonb_agg(m.address ORDER BY m.leaf_index), '[]') FROM group_member m
      WHERE m.mls_group_id = g.mls_group_id) AS members`;
    const rows = await tx.query<(Row & { history: number; members?: OcmAddress[] })[]>(
      `SELECT ${GROUP}, g.history ${withMembers ? `, ${members}` : ''} FROM federated_group g
       WHERE g.state = ANY ($1::text[]) AND g.address > $2 ${keys ? `AND g.mls_group_id IN (${FOUND})` : ''}
       ORDER BY g.address LIMIT $3 OFFSET $4`,
      [FOLLOWED, after ?? '', most, offset ?? 0, ...(keys ? [keys.ids, keys.names, keys.related] : [])],
    );
    return rows.map((row) => ({
      ...inGroup(row),
      history: row.history,
      admins: row.admins as OcmAddress[],
      ...(row.members && { members: row.members }),
    }));
  }

  /** How many groups are followed. */
  async countFollowed(tx: Tx): Promise<number> {
    const [row] = await tx.query<{ count: string }[]>(
      'SELECT count(*) AS count FROM federated_group WHERE state = ANY ($1::text[])',
      [FOLLOWED],
    );
    return Number(row!.count);
  }

  /** The followed groups that each of the users is in, by address. */
  async groupsOfAll(tx: Tx, users: readonly OcmAddress[]): Promise<ReadonlyMap<OcmAddress, readonly OcmAddress[]>> {
    const rows = await tx.query<{ user: OcmAddress; groups: OcmAddress[] }[]>(
      `SELECT m.address AS user, jsonb_agg(g.address ORDER BY g.address) AS groups
       FROM group_member m JOIN federated_group g ON g.mls_group_id = m.mls_group_id
       WHERE m.address = ANY ($1::text[]) AND g.state = ANY ($2::text[]) GROUP BY m.address`,
      [users, FOLLOWED],
    );
    return new Map(rows.map(({ user, groups }) => [user, groups]));
  }
}

const inGroup = ({ mlsGroupId, address, epoch: at, state }: Row): InGroup => ({
  mlsGroupId,
  address,
  epoch: epoch(Number(at)),
  state,
});

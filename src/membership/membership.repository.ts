import { Injectable } from '@nestjs/common';
import type { Host, OcmAddress } from '../kernel/address.js';
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

/** A group in a state that `version` names, and no other: see `GroupVersionRow`. */
interface Versioned extends InGroup {
  readonly version: string;
}

export interface MembersPicture extends Versioned {
  readonly members: readonly { readonly address: OcmAddress; readonly admin: boolean }[];
}

export interface Standing extends Versioned {
  readonly member: boolean;
  readonly admin: boolean;
}

/** "Is this user in that group?" */
export interface Pair {
  readonly group: OcmAddress;
  readonly user: OcmAddress;
}

/** The answer of PostgreSQL to any of the questions; bigint comes as text. */
type Row = Omit<InGroup, 'epoch'> & { epoch: string; admins: string[] };
type VersionedRow = Omit<Versioned, 'epoch'> & { epoch: string };

const GROUP = 'g.mls_group_id AS "mlsGroupId", g.address, g.epoch, g.state, g.admins';
const VERSIONED = 'g.mls_group_id AS "mlsGroupId", g.address, g.epoch, g.state, v.version';
const BY_ADDRESS = `federated_group g JOIN group_version v ON v.mls_group_id = g.mls_group_id
  WHERE g.address = $1 AND g.state <> 'superseded'`;

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
    return this.roster(tx, group, 'ORDER BY m.leaf_index', []);
  }

  /** The members at home on one server, by address; `undefined` when the group is not known. */
  async membersAt(tx: Tx, group: OcmAddress, server: Host): Promise<MembersPicture | undefined> {
    const found = await this.roster(tx, group, 'AND m.host = $2', [server]);
    return found && { ...found, members: found.members.toSorted(byAddress) };
  }

  /** The group without its members; `undefined` when it is not known. */
  async group(tx: Tx, group: OcmAddress): Promise<Versioned | undefined> {
    const [row] = await tx.query<VersionedRow[]>(`SELECT ${VERSIONED} FROM ${BY_ADDRESS}`, [group]);
    return row && versioned(row);
  }

  /** An answer for each pair, of one moment, in their order; `undefined` where the group is not known. */
  async standings(tx: Tx, pairs: readonly Pair[]): Promise<(Standing | undefined)[]> {
    const rows = await tx.query<(VersionedRow & Pick<Standing, 'member' | 'admin'>)[]>(
      `SELECT ${VERSIONED}, g.admins ? q.member AS admin, EXISTS (
         SELECT 1 FROM group_member m WHERE m.mls_group_id = g.mls_group_id AND m.address = q.member) AS member
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q (address, member, n)
       LEFT JOIN federated_group g ON g.address = q.address AND g.state <> 'superseded'
       LEFT JOIN group_version v ON v.mls_group_id = g.mls_group_id ORDER BY q.n`,
      [pairs.map(({ group }) => group), pairs.map(({ user }) => user)],
    );
    return rows.map((row) => (row.version ? { ...versioned(row), member: row.member, admin: row.admin } : undefined));
  }

  /** The groups that a user is in now, as far as this server has members in them too; by address. */
  async groupsOf(tx: Tx, user: OcmAddress): Promise<Standing[]> {
    const rows = await tx.query<(VersionedRow & { admin: boolean })[]>(
      // Each group by its key: the planner would rather read all groups than a hundred of ten thousand.
      `SELECT g.* FROM group_member m CROSS JOIN LATERAL (
         SELECT ${VERSIONED}, g.admins ? $1 AS admin FROM federated_group g
         JOIN group_version v ON v.mls_group_id = g.mls_group_id
         WHERE g.mls_group_id = m.mls_group_id AND g.state = ANY ($2::text[]) OFFSET 0) AS g
       WHERE m.address = $1`,
      [user, FOLLOWED],
    );
    return rows.map((row) => ({ ...versioned(row), member: true, admin: row.admin })).sort(byAddress);
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

  private async roster(tx: Tx, group: OcmAddress, which: string, parameters: unknown[]) {
    const [row] = await tx.query<(VersionedRow & { admins: string[]; members: OcmAddress[] })[]>(
      `SELECT ${VERSIONED}, g.admins,
         ARRAY(SELECT m.address FROM group_member m WHERE m.mls_group_id = g.mls_group_id ${which}) AS members
       FROM ${BY_ADDRESS}`,
      [group, ...parameters],
    );
    if (!row) return undefined;
    const admins = new Set(row.admins);
    return { ...versioned(row), members: row.members.map((address) => ({ address, admin: admins.has(address) })) };
  }
}

const versioned = ({ version, ...row }: VersionedRow): Versioned => ({ ...inGroup(row), version });

/** As programs compare, whatever order the database is set to: pages go on after an address. */
const byAddress = (a: { readonly address: string }, b: { readonly address: string }): number =>
  a.address < b.address ? -1 : Number(a.address > b.address);

const inGroup = ({ mlsGroupId, address, epoch: at, state }: Omit<Row, 'admins'>): InGroup => ({
  mlsGroupId,
  address,
  epoch: epoch(Number(at)),
  state,
});

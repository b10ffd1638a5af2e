import type { DataSource } from 'typeorm';
import type { OcmAddress } from '../../src/kernel/address.js';
import type { TestServer } from '../support/server.js';

/** So many groups, each with so many members, of whom most are at home on `a.test`. */
export interface Size {
  readonly groups: number;
  readonly members: number;
  readonly users: number;
}

export const groupAt = (index: number): OcmAddress => `group-${index}@a.test` as OcmAddress;
export const userAt = (index: number): OcmAddress => `user-${index}@${index % 5 === 0 ? 'b' : 'a'}.test` as OcmAddress;

/** Rows as Commits leave them behind, without the MLS groups. */
export async function fill(server: TestServer, { groups, members, users }: Size): Promise<void> {
  const address = (n: string) => `'user-' || ${n} || '@' || CASE WHEN ${n} % 5 = 0 THEN 'b' ELSE 'a' END || '.test'`;
  await server.query(
    `INSERT INTO federated_group (mls_group_id, address, epoch, state, instance, history, admins, changed_at)
     SELECT 'id-' || g, 'group-' || g || '@a.test', 5, 'active', 1, 0,
       jsonb_build_array(${address('((g * 7919) % $2)')}), now()
     FROM generate_series(0, $1::integer - 1) AS g`,
    [groups, users],
  );
  await server.query(
    `INSERT INTO group_member (mls_group_id, address, host, leaf_index, updated_at, fresh)
     SELECT 'id-' || g, ${address('u')}, CASE WHEN u % 5 = 0 THEN 'b.test' ELSE 'a.test' END, m, now(), false
     FROM generate_series(0, $1::integer - 1) AS g, generate_series(0, $2::integer - 1) AS m,
       LATERAL (SELECT (g * 7919 + m) % $3::integer AS u) AS who`,
    [groups, members, users],
  );
  await server.query('ANALYZE');
}

/** The bare query of each question: what somebody would write who reads the tables. */
export const BARE = {
  member: `SELECT g.epoch, EXISTS (SELECT 1 FROM group_member m
      WHERE m.mls_group_id = g.mls_group_id AND m.address = $2) AS member, g.admins ? $2 AS admin
    FROM federated_group g WHERE g.address = $1 AND g.state <> 'superseded'`,
  groups: `SELECT g.address, g.epoch, g.admins ? $1 AS admin
    FROM group_member m JOIN federated_group g ON g.mls_group_id = m.mls_group_id
    WHERE m.address = $1 AND g.state = ANY ('{active,drifted,suspended}') ORDER BY g.address`,
  local: `SELECT g.epoch, m.address, g.admins ? m.address AS admin
    FROM federated_group g JOIN group_member m ON m.mls_group_id = g.mls_group_id
    WHERE g.address = $1 AND g.state <> 'superseded' AND m.host = 'a.test' ORDER BY m.address`,
} as const;

/** How the database finds the rows: what it reads, and how long that takes. */
export async function plan(source: DataSource, sql: string, parameters: unknown[]): Promise<string> {
  const explained = () => source.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN (ANALYZE) ${sql}`, parameters);
  await explained();
  const lines = (await explained()).map((row) => row['QUERY PLAN'].trim());
  const scans = lines.filter((line) => line.includes(' Scan ')).map((line) => line.replace(/^[ >-]*|\s+\(.*/g, ''));
  return [...scans, ...lines.filter((line) => line.startsWith('Execution'))].join(' | ');
}

import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { MIGRATIONS } from '../../../src/platform/migrations/index.js';

const LEDGER = 'migration';

/** Changes with every word of every migration: templates are kept under this name. */
export const migrationsDigest = (): string =>
  createHash('sha256').update(JSON.stringify(MIGRATIONS)).digest('hex').slice(0, 16);

/** Migrates an empty database. Throws when a migration leaves rows: leases are emptied by TRUNCATE, and would lose them. */
export async function migrate(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const { sql } of MIGRATIONS) await client.query(sql);
    for (const table of await tables(client)) {
      const { rowCount } = await client.query(`SELECT 1 FROM ${table} LIMIT 1`);
      if (rowCount) throw new Error(`A migration leaves rows in ${table}; test/support/database.ts would empty it.`);
    }
  } finally {
    await client.end();
  }
}

/** The quoted names of all tables but the ledger of migrations. */
export async function tables(client: Pick<Client, 'query'>): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> $1`,
    [LEDGER],
  );
  return rows.map(({ name }) => name);
}

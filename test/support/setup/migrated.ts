import { createHash } from 'node:crypto';
import { DataSource } from 'typeorm';
import { migrate } from '../../../src/platform/migration.repository.js';
import { MIGRATIONS } from '../../../src/platform/migrations/index.js';

/** Changes with every word of every migration: templates are kept under this name. */
export const migrationsDigest = (): string =>
  createHash('sha256').update(JSON.stringify(MIGRATIONS)).digest('hex').slice(0, 16);

/** Migrates an empty database. Throws when a migration leaves rows: leases are emptied, and would lose them. */
export async function migrated(url: string): Promise<void> {
  const source = await new DataSource({ type: 'postgres', url, poolSize: 1, installExtensions: false }).initialize();
  try {
    const connection = source.createQueryRunner();
    await migrate(connection, MIGRATIONS, new Date(0));
    await connection.release();
    for (const table of await tables(source)) {
      if ((await source.query<unknown[]>(`SELECT 1 FROM ${table} LIMIT 1`)).length === 0) continue;
      throw new Error(`A migration leaves rows in ${table}; test/support/database.ts would lose them.`);
    }
  } finally {
    await source.destroy();
  }
}

/**
 * A database back to no rows: row by row, and without the checks of foreign keys, which only a superuser may leave out.
 * TRUNCATE makes the files of every table and index anew, and takes thirty times as long; so does a new database.
 */
export async function emptied(source: DataSource): Promise<void> {
  const counters = await source.query<{ name: string }[]>(
    `SELECT format('%I', sequencename) AS name FROM pg_sequences WHERE schemaname = 'public'`,
  );
  await source.query(
    [
      'SET LOCAL session_replication_role = replica',
      ...(await tables(source)).map((name) => `DELETE FROM ${name}`),
      ...counters.map(({ name }) => `SELECT setval('${name}', 1, false)`),
    ].join(';\n'),
  );
}

/** The quoted names of all tables but the ledger of migrations. */
async function tables(source: DataSource): Promise<string[]> {
  const rows = await source.query<{ name: string }[]>(
    `SELECT format('%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'`,
  );
  return rows.map(({ name }) => name);
}

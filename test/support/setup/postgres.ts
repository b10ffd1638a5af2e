import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { migrated } from './migrated.js';
import { postgresServer } from './postgres-server.js';

/** Finds or starts a server, and makes the migrated template that leases are copied from. Fails when there is none. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await postgresServer();
  const template = `covey_test_${process.pid}`;
  const admin = new Client({ connectionString: server.url });
  try {
    await admin.connect();
    const { rows } = await admin.query<{ super: string }>(`SELECT current_setting('is_superuser') AS super`);
    if (rows[0]?.super !== 'on') throw new Error('The tests need a superuser of PostgreSQL in DATABASE_URL.');
    await admin.query(`CREATE DATABASE ${template}`);
    await migrated(databaseOf(server.url, template));
  } catch (error) {
    await admin.end();
    await server.stop();
    throw error;
  }
  project.provide('database', { kind: 'postgres', server: server.url, template });
  return async () => {
    const { rows } = await admin.query<{ datname: string }>(`SELECT datname FROM pg_database WHERE datname LIKE $1`, [
      `${template}%`,
    ]);
    for (const { datname } of rows) await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
    await admin.end();
    await server.stop();
  };
}

/** The same server and role, another database. */
export function databaseOf(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

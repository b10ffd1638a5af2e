import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { expect, test } from 'vitest';
import { migrate } from '../../src/platform/migration.repository.js';
import { MIGRATIONS } from '../../src/platform/migrations/index.js';
import type { Migration } from '../../src/platform/migrations/migration.js';
import { World } from '../support/world.js';

const AT = new Date('2027-01-04T09:00:00.000Z');

/** What a next version may do. */
const NEXT: Migration = {
  number: 9001,
  name: 'next',
  sql: `ALTER TABLE federated_group ADD COLUMN next_word text NOT NULL DEFAULT '';
    CREATE INDEX next_index ON group_member (address);
    CREATE TABLE next_table (n integer)`,
};

/** One connection of a process of the next version; `sent` are the statements so far. */
async function nextVersion(url: string) {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  const sent: string[] = [];
  const query = async (sql: string, parameters?: unknown[]) => {
    sent.push(sql);
    return (await client.query<object>(sql, parameters)).rows;
  };
  return { client, sent, upgrade: (steps: readonly Migration[]) => migrate({ query }, steps, AT) };
}

test('a server goes on while a process of the next version migrates, which waits for nobody with a table locked', async () => {
  await using world = await World.of('a.test');
  const server = world.server('a.test');
  const url = server.variables['DATABASE_URL']!;
  const [alice, bob] = await world.users('alice@a.test', 'bob@a.test');
  const lab = await alice.createGroup('lab', [bob]);
  const next = await nextVersion(url);
  const reader = new Client({ connectionString: url });
  await reader.connect();
  try {
    // Somebody looks at the table for long, a dump for instance.
    await reader.query('BEGIN; SELECT 1 FROM federated_group');
    let upgraded = false;
    const upgrade = next.upgrade([...MIGRATIONS, NEXT]).finally(() => (upgraded = true));
    const tries = () => next.sent.filter((sql) => sql === NEXT.sql).length;
    let served = 0;
    for (let round = 0; !upgraded; round++) {
      const change = await (round % 2 === 0 ? alice.appoint(lab, bob) : alice.dismiss(lab, bob));
      await world.settle();
      expect(await alice.change(change)).toMatchObject({ state: 'done' });
      if (tries() === 0) continue;
      served += 1;
      if (tries() >= 2) await reader.query('ROLLBACK').catch(() => undefined);
    }
    expect(await upgrade).toEqual([NEXT.number]);
    expect(served).toBeGreaterThan(1);
    expect(tries()).toBeGreaterThan(1);
    const { epoch } = await alice.sees(lab);
    await alice.appoint(lab, bob).catch(() => alice.dismiss(lab, bob));
    await world.settle();
    expect((await alice.sees(lab)).epoch).toBe(epoch + 1);
    // What runs goes on; what starts must know the schema.
    await expect(server.restart()).rejects.toMatchObject({ code: 'migration.changed', facts: { number: NEXT.number } });
  } finally {
    await next.client.query(
      `DROP TABLE IF EXISTS next_table; DROP INDEX IF EXISTS next_index;
       ALTER TABLE federated_group DROP COLUMN IF EXISTS next_word; DELETE FROM migration WHERE number = ${NEXT.number}`,
    );
    await Promise.all([next.client.end(), reader.end()]);
  }
});

test('a process that is killed in the middle of a step leaves nothing of it, and the one that waits goes on', async () => {
  await using world = await World.of('a.test');
  const url = world.server('a.test').variables['DATABASE_URL']!;
  const [dying, waiting] = [await nextVersion(url), await nextVersion(url)];
  const slow: Migration = {
    number: 9001,
    name: 'slow',
    sql: 'CREATE TABLE next_table (n integer); SELECT pg_sleep(60)',
  };
  const quick: Migration = { number: 9001, name: 'slow', sql: 'CREATE TABLE next_table (n integer)' };
  const source = world.server('a.test').get(DataSource);
  const sleeping = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`;
  try {
    const killed = dying.upgrade([...MIGRATIONS, slow]).catch((error: unknown) => error);
    while ((await source.query<unknown[]>(sleeping)).length === 0);
    const upgraded = waiting.upgrade([...MIGRATIONS, quick]);
    const [sleeper] = await source.query<{ pid: number }[]>(sleeping);
    await source.query('SELECT pg_terminate_backend($1)', [sleeper!.pid]);
    expect(await killed).toBeInstanceOf(Error);
    expect(await upgraded).toEqual([quick.number]);
  } finally {
    await waiting.client.query(`DROP TABLE IF EXISTS next_table; DELETE FROM migration WHERE number = ${quick.number}`);
    await waiting.client.end();
  }
});

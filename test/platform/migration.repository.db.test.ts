import type { DataSource } from 'typeorm';
import { expect, test } from 'vitest';
import { migrate } from '../../src/platform/migration.repository.js';
import type { Migration } from '../../src/platform/migrations/migration.js';
import { MIGRATIONS } from '../../src/platform/migrations/index.js';
import { leaseDatabase } from '../support/database.js';

const AT = new Date('2027-01-04T09:00:00.000Z');
const ONE: Migration = { number: 1, name: 'one', sql: 'CREATE TABLE one (n integer); INSERT INTO one VALUES (1)' };
const TWO: Migration = { number: 2, name: 'two', sql: 'CREATE TABLE two (n integer)' };
const BROKEN: Migration = { number: 3, name: 'three', sql: 'CREATE TABLE three (n integer); SELECT 1 / 0' };

/** An empty schema of its own, beside the one that is migrated. */
async function empty() {
  const lease = await leaseDatabase();
  const source = await lease.open([]);
  await source.query('DROP SCHEMA IF EXISTS probe CASCADE');
  await source.query('CREATE SCHEMA probe');
  const dispose = async () => {
    await source.query('DROP SCHEMA probe CASCADE');
    await source.query('SET search_path TO DEFAULT');
    await lease.release();
  };
  return { lease, source, [Symbol.asyncDispose]: dispose };
}

async function migrated(source: DataSource, steps: readonly Migration[]): Promise<number[]> {
  const connection = source.createQueryRunner();
  try {
    await connection.query('SET search_path TO probe');
    return await migrate(connection, steps, AT);
  } finally {
    await connection.query('SET search_path TO DEFAULT');
    await connection.release();
  }
}

test('each step is applied once, in the order of the numbers', async () => {
  await using it = await empty();
  expect(await migrated(it.source, [TWO, ONE])).toEqual([1, 2]);
  expect(await migrated(it.source, [ONE, TWO])).toEqual([]);
  expect(await it.source.query('SELECT n FROM probe.one')).toEqual([{ n: 1 }]);
  expect(await it.source.query('SELECT number, name, applied_at FROM probe.migration')).toEqual([
    { number: 1, name: 'one', applied_at: AT },
    { number: 2, name: 'two', applied_at: AT },
  ]);
});

test('a step that fails leaves nothing, and what went before it stays', async () => {
  await using it = await empty();
  await expect(migrated(it.source, [ONE, TWO, BROKEN])).rejects.toThrow('division by zero');
  expect(await it.source.query("SELECT to_regclass('probe.three') AS name")).toEqual([{ name: null }]);
  expect(await migrated(it.source, [ONE, TWO, { ...BROKEN, sql: TWO.sql.replace('two', 'three') }])).toEqual([3]);
});

test('an applied step whose text has changed stops the start', async () => {
  await using it = await empty();
  await migrated(it.source, [ONE]);
  await expect(migrated(it.source, [{ ...ONE, sql: `${ONE.sql}, (2)` }])).rejects.toMatchObject({
    code: 'migration.changed',
    facts: { number: 1 },
  });
});

test('a database of a newer version stops the start', async () => {
  await using it = await empty();
  await migrated(it.source, [ONE, TWO]);
  await expect(migrated(it.source, [ONE])).rejects.toMatchObject({ code: 'migration.changed', facts: { number: 2 } });
});

test('a step slipped in before an applied one stops the start', async () => {
  await using it = await empty();
  await migrated(it.source, [TWO]);
  await expect(migrated(it.source, [ONE, TWO])).rejects.toMatchObject({
    code: 'migration.changed',
    facts: { number: 1 },
  });
});

test('of processes that start at once each finds every step applied once', async () => {
  await using it = await empty();
  const starts = Array.from({ length: it.lease.poolSize }, () => migrated(it.source, [ONE, TWO]));
  expect((await Promise.all(starts)).flat().toSorted((a, b) => a - b)).toEqual([1, 2]);
});

test('the steps of the service are numbered without doubles and leave an empty database', () => {
  const numbers = MIGRATIONS.map(({ number }) => number);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
});

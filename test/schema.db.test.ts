import { resolve } from 'node:path';
import { DataSource, getMetadataArgsStorage } from 'typeorm';
import { expect, test } from 'vitest';
import { leaseDatabase } from './support/database.js';
import { filesOf } from './support/tree.js';
import { World } from './support/world.js';

/** Every class in `src` that stands for a table. */
async function entities(): Promise<Function[]> {
  const found: Function[] = [];
  for (const { path } of filesOf('src').filter(({ text }) => text.includes('@Entity('))) {
    const exported = Object.values((await import(resolve('src', path))) as object);
    const added = getMetadataArgsStorage().tables.filter(({ target }) => exported.includes(target));
    expect(added, `${path} must export its entity`).not.toEqual([]);
    found.push(...added.map(({ target }) => target as Function));
  }
  return found;
}

/** Indexes, checks and references are written in SQL alone; entities need not repeat them. */
const ONLY_IN_SQL = /^(DROP INDEX|ALTER TABLE "\w+" DROP CONSTRAINT) /;

test('entities agree with the migrations: the schema needs no change', async () => {
  await using database = await leaseDatabase();
  const source = await database.open((await entities()) as never);
  const { upQueries } = await source.driver.createSchemaBuilder().log();
  expect(upQueries.map(({ query }) => query).filter((query) => !ONLY_IN_SQL.test(query))).toEqual([]);
});

test('every entity is known to the service, and every table has one', async () => {
  await using world = await World.of('a.test');
  const known = world.server('a.test').get(DataSource).entityMetadatas;
  const names = (await entities()).map(({ name }) => name).sort();
  expect(known.map(({ name }) => name).sort()).toEqual(names);
  const tables = await world
    .server('a.test')
    .query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration' ORDER BY 1`,
    );
  expect(known.map(({ tableName }) => tableName).sort()).toEqual(tables.map(({ name }) => name));
});

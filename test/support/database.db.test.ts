import { Column, Entity, PrimaryColumn } from 'typeorm';
import { expect, test } from 'vitest';
import { leaseDatabase } from './database.js';

class Owner {}

@Entity('probe')
class ProbeRow {
  @PrimaryColumn() id!: string;
  @Column() size!: number;
  @Column() owner!: Owner;
}

test('a lease runs transactions on a database of its kind', async () => {
  await using database = await leaseDatabase();
  const db = await database.transactions([]);
  const rows = await db.run((tx) => tx.query<{ version: string }[]>('SELECT version() AS version'));
  expect(/wasm|emscripten/i.test(rows[0]!.version)).toBe(database.kind === 'embedded');
});

test('a lease is migrated and holds no rows, whatever the one before it left', async () => {
  for (let round = 0; round < 2; round++) {
    await using database = await leaseDatabase();
    const db = await database.open([]);
    await db.query(`INSERT INTO idempotency (caller, key, fingerprint, created_at) VALUES ('a', 'b', 'c', $1)`, [
      new Date(0),
    ]);
    expect(await db.query('SELECT caller FROM idempotency')).toHaveLength(1);
  }
});

test('two leases at the same time are two databases', async () => {
  await using one = await leaseDatabase();
  await using other = await leaseDatabase();
  const [a, b] = [await one.open([]), await other.open([])];
  await a.query('CREATE TABLE probe (id text PRIMARY KEY, size integer)');
  await expect(b.query('SELECT * FROM probe')).rejects.toThrow('probe');
  await a.query('DROP TABLE probe');
});

test('what a decorator needs to know of types is there when tests run', () => {
  const typeOf = (property: string): unknown => Reflect.getMetadata('design:type', ProbeRow.prototype, property);
  expect([typeOf('size'), typeOf('owner')]).toEqual([Number, Owner]);
});

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DataSource } from 'typeorm';
import { EmbeddedDatabase } from '../../src/platform/embedded.provider.js';
import { Log } from '../../src/platform/logger.service.js';
import { TransactionService } from '../../src/platform/transaction.service.js';

const lines: string[] = [];
const log = new Log('info', { write: (line) => lines.push(line) });
const folder = mkdtempSync(join(tmpdir(), 'covey-'));
let database: EmbeddedDatabase;
let db: TransactionService;
let source: DataSource;

beforeAll(async () => {
  database = await EmbeddedDatabase.start(folder, log);
  source = await open(database);
  db = new TransactionService(source);
  await source.query('CREATE TABLE letter (n integer)');
});

afterAll(async () => {
  await source.destroy();
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});

const open = ({ url }: EmbeddedDatabase) =>
  new DataSource({ type: 'postgres', url, poolSize: 1, installExtensions: false, connectTimeoutMS: 5000 }).initialize();
const letters = async () => (await source.query<{ n: number }[]>('SELECT n FROM letter ORDER BY n')).map(({ n }) => n);

/** The failures of `work` until it succeeds. */
async function untilItWorks(work: () => Promise<unknown>): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (;;) {
    try {
      await work();
      return failures;
    } catch (error) {
      failures.push((error as { code?: unknown }).code);
    }
  }
}

test('statements that are refused break nothing', async () => {
  await expect(db.run((tx) => tx.query('SELECT 1 / 0'))).rejects.toThrow('division by zero');
  await expect(source.query('SELEC')).rejects.toThrow('syntax');
  expect(await letters()).toEqual([]);
});

test('when the engine breaks it is started again, and what was committed is there', async () => {
  await db.run((tx) => tx.query('INSERT INTO letter VALUES (1)'));
  database.breakNext();
  const failures = await untilItWorks(() => db.run((tx) => tx.query('INSERT INTO letter VALUES (2)')));
  expect(failures.length).toBeGreaterThan(0);
  expect(new Set(failures)).toEqual(new Set(['database.unavailable']));
  expect(await letters()).toEqual([1, 2]);
  expect(lines.join('')).toContain('database.restarted');
});

test('when it breaks within a transaction nothing of that transaction is there', async () => {
  const broken = db.run(async (tx) => {
    await tx.query('INSERT INTO letter VALUES (3)');
    database.breakNext();
    await tx.query('INSERT INTO letter VALUES (4)');
  });
  await expect(broken).rejects.toMatchObject({ code: 'database.unavailable' });
  await untilItWorks(() => db.statement((tx) => tx.query('SELECT 1')));
  expect(await letters()).toEqual([1, 2]);
});

test('a connection that goes away in the middle of a transaction leaves nothing locked', async () => {
  const other = await open(database).catch((error: unknown) => error);
  if (!(other instanceof DataSource)) throw other;
  const runner = other.createQueryRunner();
  await runner.startTransaction();
  await runner.query('INSERT INTO letter VALUES (5)');
  const client = (await runner.connect()) as unknown as { connection: { stream: { destroy(): void } } };
  client.connection.stream.destroy();
  expect(await letters()).toEqual([1, 2]);
  await runner.release().catch(() => undefined);
  await other.destroy().catch(() => undefined);
});

test('a folder whose path is too long for a socket has its socket elsewhere', async () => {
  const long = join(folder, 'x'.repeat(100));
  mkdirSync(long);
  const elsewhere = await EmbeddedDatabase.start(long, log);
  const there = await open(elsewhere);
  expect(await there.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await there.destroy();
  const socket = join(decodeURIComponent(elsewhere.url.split('host=')[1]!));
  expect(socket.startsWith(long)).toBe(false);
  await elsewhere.stop();
  expect(existsSync(socket)).toBe(false);
});

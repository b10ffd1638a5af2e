import { createHash } from 'node:crypto';
import { Fault } from '../kernel/fault.js';
import { sqlState } from './database-error.js';
import type { Migration } from './migrations/migration.js';

/** One connection, as TypeORM's query runner has it: rows come back as an array. */
export interface Connection {
  query(sql: string, parameters?: unknown[]): Promise<unknown>;
}

/** "covey" in ASCII: the advisory lock that keeps two replicas from migrating at the same time. */
const LOCK = '427910686073';

/** How long a step waits for a lock on a table, and so others behind it. */
const LONGEST_WAIT_MS = 1_000;
/** Five minutes: something holds on to a table for longer than any backup of it should. */
const MOST_TRIES = 300;
const LOCK_NOT_AVAILABLE = '55P03';

const checksum = ({ name, sql }: Migration) => createHash('sha256').update(`${name}\n${sql.trim()}`).digest('hex');

/**
 * Brings the schema up to date, each step in its own transaction, under an advisory lock. Throws `migration.changed`
 * when the database was migrated by other text than ours, or further than we know. Returns the numbers it applied.
 */
export async function migrate(connection: Connection, migrations: readonly Migration[], at: Date): Promise<number[]> {
  await connection.query('SELECT pg_advisory_lock($1)', [LOCK]);
  try {
    await connection.query(`CREATE TABLE IF NOT EXISTS migration (
      number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL)`);
    const missing = await judge(connection, migrations);
    for (const step of missing) await apply(connection, step, at);
    return missing.map(({ number }) => number);
  } finally {
    await connection.query('SELECT pg_advisory_unlock($1)', [LOCK]);
  }
}

/** The migrations not yet applied, in order. */
async function judge(connection: Connection, migrations: readonly Migration[]): Promise<Migration[]> {
  const rows = await connection.query('SELECT number, name, checksum FROM migration ORDER BY number');
  const applied = rows as { number: number; name: string; checksum: string }[];
  const known = new Map(migrations.map((step) => [step.number, step]));
  for (const { number, name, checksum: found } of applied) {
    const step = known.get(number);
    if (!step) throw new Fault('migration.changed', { number, name, problem: 'the database is of a newer version' });
    if (checksum(step) !== found)
      throw new Fault('migration.changed', { number, name, problem: 'its text is another now' });
  }
  const last = applied.at(-1)?.number ?? 0;
  const missing = migrations
    .filter(({ number }) => !applied.some((row) => row.number === number))
    .toSorted((a, b) => a.number - b.number);
  const late = missing.find(({ number }) => number < last);
  if (late)
    throw new Fault('migration.changed', {
      number: late.number,
      name: late.name,
      problem: 'a later one was applied before',
    });
  return missing;
}

/**
 * A step that waits for a lock on a table keeps everybody waiting who comes behind it, so it waits for a moment only, lets
 * them pass, and tries again.
 */
async function apply(connection: Connection, step: Migration, at: Date): Promise<void> {
  for (let tries = 1; ; tries++) {
    await connection.query('BEGIN');
    try {
      await connection.query(`SET LOCAL lock_timeout = ${LONGEST_WAIT_MS}`);
      await connection.query(step.sql);
      await connection.query('INSERT INTO migration (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)', [
        step.number,
        step.name,
        checksum(step),
        at,
      ]);
      return void (await connection.query('COMMIT'));
    } catch (error) {
      await connection.query('ROLLBACK');
      if (tries >= MOST_TRIES || sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    }
  }
}

import { cpSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource, type EntitySchema, type DataSourceOptions } from 'typeorm';
import { inject } from 'vitest';
import { EmbeddedDatabase } from '../../src/platform/embedded.provider.js';
import { Log } from '../../src/platform/logger.service.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { emptied } from './setup/migrated.js';
import { databaseOf } from './setup/postgres.js';

type Entities = readonly (abstract new (...args: never[]) => unknown)[] | readonly EntitySchema[];

/** A migrated database without rows, for one test or one file. */
export interface Lease extends AsyncDisposable {
  readonly kind: 'embedded' | 'postgres';
  /** A connection string for `pg`, over a Unix socket. */
  readonly url: string;
  /** How many connections may work at the same time. The embedded database takes one. */
  readonly poolSize: number;
  options(entities: Entities): DataSourceOptions;
  /** Ends with the lease. On the embedded database use one of them at a time. */
  open(entities: Entities): Promise<DataSource>;
  /** The same, as services take it. */
  transactions(entities: Entities): Promise<TransactionService>;
  release(): Promise<void>;
}

/**
 * Leases a database of the kind that the running project stands for. Usable in files named `*.db.test.ts` only.
 *
 *     await using database = await leaseDatabase();
 *     const db = await database.transactions([LetterRow]);
 */
export async function leaseDatabase(): Promise<Lease> {
  const from = inject('database') as ReturnType<typeof inject<'database'>> | undefined;
  if (!from) throw new Error('A test that uses a database must be named *.db.test.ts: it then runs on both databases.');
  return from.kind === 'embedded' ? leaseEmbedded(from) : leasePostgres(from);
}

/** Databases that nobody uses now. They live as long as the process and serve many files. */
const idle: { readonly url: string }[] = [];

async function leaseEmbedded({ folder, template }: { folder: string; template: string }): Promise<Lease> {
  const database = idle.pop() ?? (await copyOf(template, folder));
  return lease('embedded', database.url, 1, async () => {
    await connected(database.url, emptied);
    idle.push(database);
  });
}

function copyOf(template: string, folder: string): Promise<EmbeddedDatabase> {
  const copy = mkdtempSync(join(folder, 'e'));
  cpSync(template, copy, { recursive: true });
  return EmbeddedDatabase.start(copy, new Log('error'));
}

let counter = 0;

async function leasePostgres({ server, template }: { server: string; template: string }): Promise<Lease> {
  const database = idle.pop() ?? (await newDatabase(server, template));
  return lease('postgres', database.url, 8, async () => {
    await connected(database.url, async (source) => {
      // What a server that died left open would be waited for.
      await source.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`);
      await emptied(source);
    });
    idle.push(database);
  });
}

async function newDatabase(server: string, template: string): Promise<{ readonly url: string }> {
  const name = `${template}_${process.pid}_${++counter}`;
  await connected(server, (source) => source.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return { url: databaseOf(server, name) };
}

function lease(kind: Lease['kind'], url: string, poolSize: number, giveBack: () => Promise<unknown>): Lease {
  const opened: DataSource[] = [];
  let released = false;
  const options = (entities: Entities): DataSourceOptions => ({
    type: 'postgres',
    url,
    entities: [...entities] as Function[],
    poolSize,
    installExtensions: false,
    connectTimeoutMS: 10_000,
  });
  const release = async () => {
    if (released) return;
    released = true;
    for (const source of opened) if (source.isInitialized) await source.destroy();
    await giveBack();
  };
  const open = async (entities: Entities) => {
    const source = await new DataSource(options(entities)).initialize();
    opened.push(source);
    return source;
  };
  return {
    kind,
    url,
    poolSize,
    options,
    open,
    transactions: async (entities) => new TransactionService(await open(entities)),
    release,
    [Symbol.asyncDispose]: release,
  };
}

async function connected<T>(url: string, work: (source: DataSource) => Promise<T>): Promise<T> {
  const source = await new DataSource({ type: 'postgres', url, poolSize: 1, installExtensions: false }).initialize();
  try {
    return await work(source);
  } finally {
    await source.destroy();
  }
}

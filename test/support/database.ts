import { Client } from 'pg';
import { DataSource, type EntitySchema, type DataSourceOptions } from 'typeorm';
import { inject } from 'vitest';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { EmbeddedServer } from './setup/embedded-server.js';
import { tables } from './setup/migrated.js';
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
  /** Back to no rows, without a new lease. */
  empty(): Promise<void>;
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

/** Embedded databases that nobody uses now. They live as long as the process and serve many files. */
const idle: EmbeddedServer[] = [];

async function leaseEmbedded({ sockets, template }: { sockets: string; template: string }): Promise<Lease> {
  const server = idle.pop() ?? (await EmbeddedServer.start(sockets, template));
  return lease('embedded', server.url, 1, async () => {
    await empty(server.url);
    idle.push(server);
  });
}

let counter = 0;

async function leasePostgres({ server, template }: { server: string; template: string }): Promise<Lease> {
  const name = `${template}_${process.pid}_${++counter}`;
  await administer(server, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return lease('postgres', databaseOf(server, name), 8, () => administer(server, `DROP DATABASE ${name} WITH (FORCE)`));
}

function lease(kind: Lease['kind'], url: string, poolSize: number, giveBack: () => Promise<void>): Lease {
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
    empty: () => empty(url),
    release,
    [Symbol.asyncDispose]: release,
  };
}

const empty = (url: string) =>
  connected(url, async (client) => {
    const names = await tables(client);
    if (names.length > 0) await client.query(`TRUNCATE ${names.join(', ')} RESTART IDENTITY CASCADE`);
  });

const administer = (url: string, sql: string) =>
  connected(url, async (client) => {
    await client.query(sql);
  });

async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

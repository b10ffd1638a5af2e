import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { postgresServer, type PostgresServer } from '../support/setup/postgres-server.js';

const LOOK_AGAIN_MS = 50;

/** A PostgreSQL of one's own, to be stopped and started. There is none when `DATABASE_URL` names somebody else's. */
export class Cluster implements AsyncDisposable {
  private readonly folder: string;
  private again = false;

  private constructor(private readonly server: PostgresServer) {
    this.folder = new URL(server.url).searchParams.get('host')!;
  }

  static readonly possible = !process.env['DATABASE_URL'];

  static async start(): Promise<Cluster> {
    return new Cluster(await postgresServer());
  }

  get url(): string {
    return this.server.url;
  }

  /** Starts it again, with the words by which it was started first. */
  async begin(): Promise<void> {
    const [binary = '', ...flags] = readFileSync(this.file('postmaster.opts'), 'utf8').trim().split(' ');
    const bare = flags.map((flag) => flag.replaceAll('"', ''));
    const { uid, gid } = statSync(this.folder);
    spawn(binary, bare, { cwd: this.folder, stdio: 'ignore', uid, gid });
    this.again = true;
    while (!(await this.answers())) await sleep(LOOK_AGAIN_MS);
  }

  /** Cuts every connection. */
  async end(): Promise<void> {
    if (!existsSync(this.file('postmaster.pid'))) return;
    process.kill(Number(readFileSync(this.file('postmaster.pid'), 'utf8').split('\n', 1)[0]), 'SIGINT');
    while (existsSync(this.file('postmaster.pid'))) await sleep(LOOK_AGAIN_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What was started again is ours to end; the rest is the server's.
    if (this.again) await this.end();
    await this.server.stop();
  }

  private file(name: string): string {
    return join(this.folder, 'data', name);
  }

  private async answers(): Promise<boolean> {
    const client = new Client({ connectionString: this.url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return true;
    } catch {
      return false;
    }
  }
}

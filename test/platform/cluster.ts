import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { debianBinaries, packagedBinaries, unprivileged } from '../support/setup/postgres-server.js';

/** A PostgreSQL of one's own, to be stopped and started. */
export class Cluster implements AsyncDisposable {
  private process: ChildProcess | undefined;

  private constructor(
    private readonly binaries: string,
    private readonly folder: string,
    private readonly user: ReturnType<typeof unprivileged>,
  ) {}

  static async start(): Promise<Cluster> {
    const binaries = debianBinaries() ?? packagedBinaries();
    if (!binaries) throw new Error('No PostgreSQL on this machine.');
    const folder = mkdtempSync(join(tmpdir(), 'covey-pg-'));
    const user = unprivileged();
    if (user) chownSync(folder, user.uid, user.gid);
    const cluster = new Cluster(binaries, folder, user);
    const flags = ['-D', cluster.data, '-U', 'covey', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    execFileSync(join(binaries, 'initdb'), flags, { stdio: 'ignore', cwd: folder, ...user });
    await cluster.begin();
    return cluster;
  }

  get url(): string {
    return `postgres://covey@localhost/postgres?host=${encodeURIComponent(this.folder)}`;
  }

  async begin(): Promise<void> {
    const flags = ['-D', this.data, '-k', this.folder, '-c', 'listen_addresses=', '-c', 'fsync=off'];
    this.process = spawn(join(this.binaries, 'postgres'), flags, { stdio: 'ignore', cwd: this.folder, ...this.user });
    for (let tries = 0; !(await this.answers()); tries++)
      if (tries > 100_000) throw new Error('PostgreSQL did not start');
  }

  /** Cuts every connection. */
  async end(): Promise<void> {
    if (!this.process) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGINT');
    await ended;
    this.process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get data(): string {
    return join(this.folder, 'data');
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

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { freePort } from '../support/free-port.js';
import type { Environment } from '../support/environment.js';
import { ProcessorShare } from './processor-share.js';

/** The built service in a process of its own, as `npm start` runs it, with a data folder of its own. */
export class Replica {
  private share: ProcessorShare | undefined;

  private constructor(
    readonly origin: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static build(): void {
    execFileSync(process.execPath, ['src/setup.mjs', 'build'], { stdio: 'inherit' });
  }

  static async start(variables: Environment): Promise<Replica> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'covey-replica-'));
    const env = {
      PATH: process.env['PATH'],
      ...variables,
      COVEY_DATA: folder,
      COVEY_LISTEN: `127.0.0.1:${port}`,
      COVEY_LOG_LEVEL: 'warn',
    };
    const child = spawn(process.execPath, ['dist/main.js'], { env, stdio: ['ignore', 'inherit', 'inherit'] });
    const replica = new Replica(`http://127.0.0.1:${port}`, child, folder);
    child.on('exit', (code, signal) => process.stdout.write(`${replica.origin} ended: ${code ?? signal}\n`));
    while (!(await replica.isReady())) {
      if (!replica.isAlive) throw new Error('a replica ended before it was ready');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return replica;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Seconds of processor time so far. */
  get processorTime(): number {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** From now on it gets no more than this share of one processor. */
  limitTo(share: number): void {
    this.share = ProcessorShare.of(this.child.pid!, share);
  }

  async kill(): Promise<void> {
    if (this.isAlive) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
    this.share?.end();
    this.share = undefined;
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async isReady(): Promise<boolean> {
    try {
      const { statusCode, body } = await request(`${this.origin}/readyz`);
      await body.dump();
      return statusCode === 200;
    } catch {
      return false;
    }
  }
}

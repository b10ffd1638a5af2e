import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './free-port.js';

const STARTS_WITHIN_MS = 20_000;

/** A folder of the program's own, and where it is to listen on loopback. */
export interface Place {
  readonly folder: string;
  readonly port: number;
}

/** How a program is started in a place. */
export interface Start {
  readonly program: string;
  readonly arguments: readonly string[];
  /** Files in its folder, by their names. */
  readonly files: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A server that somebody else wrote, as a process in the foreground. What it says is in `log` of its folder. */
export class Program implements AsyncDisposable {
  private constructor(
    readonly place: Place,
    private readonly child: ChildProcess,
  ) {}

  /**
   * Listens when this returns. Throws what it said when it does not start.
   * @param needed files without which it cannot be started
   * @param packages of Debian that have them
   */
  static async start(
    needed: readonly string[],
    packages: string,
    starting: (place: Place) => Start | Promise<Start>,
  ): Promise<Program> {
    for (const file of needed)
      if (!existsSync(file)) throw new Error(`${file} is missing: apt-get install ${packages}`);
    const folder = await mkdtemp(join(tmpdir(), 'covey-program-'));
    // Workers that are no root have to get in.
    await chmod(folder, 0o755);
    const place = { folder, port: await freePort() };
    const { program, arguments: given, files, environment } = await starting(place);
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const env = { ...process.env, ...environment };
    const said = `exec "$@" >>"${join(folder, 'log')}" 2>&1`;
    const child = spawn('/bin/sh', ['-c', said, 'sh', program, ...given], { stdio: 'ignore', env });
    const running = new Program(place, child);
    try {
      await running.answers();
      return running;
    } catch (error) {
      const log = running.log();
      await running[Symbol.asyncDispose]();
      throw new Error(`${program} did not start.\n${log}`, { cause: error });
    }
  }

  log(): string {
    const file = join(this.place.folder, 'log');
    return existsSync(file) ? readFileSync(file, 'utf8') : 'It said nothing.';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    await rm(this.place.folder, { recursive: true });
  }

  private async answers(): Promise<void> {
    const last = Date.now() + STARTS_WITHIN_MS;
    while (!(await listens(this.place.port))) {
      if (this.child.exitCode !== null) throw new Error(`it ended with ${this.child.exitCode}`);
      if (Date.now() > last) throw new Error(`nobody listens after ${STARTS_WITHIN_MS} ms`);
      await pause(20);
    }
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.end());
  });
}

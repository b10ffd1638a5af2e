import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';

const PROGRAM = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';
const NEEDED = ['mpm_event', 'authn_core', 'authz_core', 'dav', 'dav_fs', 'oauth2'];
const STARTS_WITHIN_MS = 20_000;

/** A folder that Apache serves by WebDAV to whom the directives let in. */
export interface Folder {
  readonly name: string;
  readonly directives: readonly string[];
}

/** Debian's Apache with mod_oauth2 in front of folders of its own, on loopback. */
export class Apache implements AsyncDisposable {
  private constructor(
    readonly url: string,
    readonly place: string,
    private readonly child: ChildProcess,
  ) {}

  /** Throws when it is not installed: `apt-get install apache2-bin libapache2-mod-oauth2`. */
  static async serving(folders: readonly Folder[]): Promise<Apache> {
    for (const file of [PROGRAM, ...NEEDED.map(moduleFile)]) {
      if (!existsSync(file)) throw new Error(`${file} is missing: apt-get install apache2-bin libapache2-mod-oauth2`);
    }
    const place = await mkdtemp(join(tmpdir(), 'covey-apache-'));
    const port = await freePort();
    // Its workers are no root, and have to get in and to write.
    await chmod(place, 0o755);
    for (const folder of ['files', 'locks', ...folders.map(({ name }) => `files/${name}`)]) {
      await mkdir(join(place, folder));
      await chmod(join(place, folder), 0o777);
    }
    await writeFile(join(place, 'apache.conf'), configuration(place, port, folders));
    const child = spawn(PROGRAM, ['-f', join(place, 'apache.conf'), '-DFOREGROUND'], { stdio: 'ignore' });
    const apache = new Apache(`http://127.0.0.1:${port}`, place, child);
    try {
      await apache.answers(port);
      return apache;
    } catch (error) {
      const said = existsSync(join(place, 'error.log')) ? apache.log() : 'It wrote no log.';
      await apache[Symbol.asyncDispose]();
      throw new Error(`Apache did not start.\n${said}`, { cause: error });
    }
  }

  log(): string {
    return readFileSync(join(this.place, 'error.log'), 'utf8');
  }

  /** A file in one of the folders. */
  async put(path: string, text: string): Promise<void> {
    await writeFile(join(this.place, 'files', path), text, { mode: 0o666 });
  }

  read(path: string): string {
    return readFileSync(join(this.place, 'files', path), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    await rm(this.place, { recursive: true });
  }

  private async answers(port: number): Promise<void> {
    const last = Date.now() + STARTS_WITHIN_MS;
    while (!(await listens(port))) {
      if (this.child.exitCode !== null) throw new Error(`it ended with ${this.child.exitCode}`);
      if (Date.now() > last) throw new Error(`nobody listens after ${STARTS_WITHIN_MS} ms`);
      await pause(20);
    }
  }
}

const moduleFile = (name: string): string => join(MODULES, `mod_${name}.so`);

function configuration(place: string, port: number, folders: readonly Folder[]): string {
  return [
    `ServerRoot ${place}`,
    'ServerName files.test',
    `Listen 127.0.0.1:${port}`,
    `PidFile ${place}/apache.pid`,
    `DefaultRuntimeDir ${place}`,
    ...NEEDED.map((name) => `LoadModule ${name}_module ${moduleFile(name)}`),
    ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
    'StartServers 1',
    'ServerLimit 2',
    'ThreadsPerChild 8',
    'MaxRequestWorkers 16',
    'MinSpareThreads 1',
    'MaxSpareThreads 16',
    `ErrorLog ${place}/error.log`,
    'LogLevel warn',
    `DavLockDB ${place}/locks/dav`,
    `DocumentRoot ${place}/files`,
    ...folders.flatMap(({ name, directives }) => [`<Location "/${name}/">`, 'Dav On', ...directives, '</Location>']),
    '',
  ].join('\n');
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.end());
  });
}

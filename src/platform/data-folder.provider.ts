import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Fault } from '../kernel/fault.js';
import { Config } from './config.js';
import { socketIn } from './embedded.provider.js';

/** The folder of the embedded database and of what is generated on the first run. Readable by its owner only. */
@Injectable()
export class DataFolder implements OnApplicationShutdown {
  readonly path: string;
  private locked = false;

  constructor(config: Config) {
    this.path = resolve(config.dataFolder);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  make(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    chmodSync(this.path, 0o700);
  }

  /**
   * Takes the folder for this process, since two processes on one embedded database lose rows. A lock that a killed
   * process left behind is taken over. Throws `data-folder.taken`.
   */
  async lock(): Promise<void> {
    this.make();
    const path = this.file('lock');
    for (let tries = 0; tries < 3; tries++) {
      if (this.tryLock(path)) return;
      const owner = readOwner(path);
      const taken = (owner !== undefined && isAlive(owner)) || (await answers(socketIn(this.path)));
      if (taken) throw new Fault('data-folder.taken', { folder: this.path, pid: owner?.pid });
      // Renamed first, so that of two processes that find the same dead lock only one removes it.
      const aside = `${path}.${process.pid}`;
      try {
        renameSync(path, aside);
        rmSync(aside);
      } catch {
        // Another process was faster; look again.
      }
    }
    throw new Fault('data-folder.taken', { folder: this.path, pid: readOwner(path)?.pid });
  }

  unlock(): void {
    if (this.locked) rmSync(this.file('lock'), { force: true });
    this.locked = false;
  }

  /** The text of a file, made with mode 0600 when it is not there yet. */
  readOrMake(name: string, make: () => string): { text: string; made: boolean } {
    const path = this.file(name);
    if (existsSync(path)) return { text: readFileSync(path, 'utf8').trim(), made: false };
    const text = make();
    this.write(name, text);
    return { text, made: true };
  }

  /** Whole or not at all, mode 0600. */
  write(name: string, text: string): void {
    this.make();
    const path = this.file(name);
    writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  }

  onApplicationShutdown(): void {
    this.unlock();
  }

  /** The file is there with its text or not at all. */
  private tryLock(path: string): boolean {
    const draft = `${path}.${process.pid}.new`;
    writeFileSync(draft, `${process.pid}\n${startOf(process.pid) ?? ''}\n`, { mode: 0o600 });
    try {
      linkSync(draft, path);
      this.locked = true;
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(draft);
    }
  }
}

interface Owner {
  readonly pid: number;
  /** When the process was started, where the system tells it: process ids are used again after a restart. */
  readonly start: string | undefined;
}

function readOwner(path: string): Owner | undefined {
  try {
    const [pid, start] = readFileSync(path, 'utf8').split('\n');
    return /^[0-9]+$/.test(pid ?? '') ? { pid: Number(pid), start: start || undefined } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, start }: Owner): boolean {
  if (pid === process.pid) return start === startOf(pid);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return start === undefined || now === undefined || start === now;
}

/** Whether somebody listens: a process in another container is not in our list of processes, but its socket is there. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

/** Field 22 of /proc/<pid>/stat with the id of the boot; undefined where there is no such file. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}:${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return undefined;
  }
}

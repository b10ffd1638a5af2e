import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Log } from './logger.service.js';

/** Plain JavaScript in `src`, for the built service too. */
const THREAD = new URL('../../src/platform/embedded.thread.mjs', import.meta.url);
/** A Unix socket's path has room for 107 bytes. */
const LONGEST_SOCKET = 107;

/** The name by which PostgreSQL's drivers look for the socket in a folder. */
export const socketIn = (folder: string): string => join(folder, '.s.PGSQL.5432');

type Word = { kind: 'ready' } | { kind: 'stopped' } | { kind: 'broken'; message: string };

/** The embedded database's thread: started, started again when its engine breaks, stopped. */
export class EmbeddedDatabase {
  private stopping = false;
  private readonly socketFolder: string;

  private constructor(
    private readonly folder: string,
    private readonly log: Log,
    private worker: Worker | undefined,
  ) {
    const fits = Buffer.byteLength(socketIn(folder)) <= LONGEST_SOCKET;
    this.socketFolder = fits ? folder : mkdtempSync(join(tmpdir(), 'covey-'));
  }

  /** Opens the database in `<folder>/database`; the caller holds the lock of the folder. */
  static async start(folder: string, log: Log): Promise<EmbeddedDatabase> {
    const database = new EmbeddedDatabase(folder, log, undefined);
    await database.begin();
    return database;
  }

  get url(): string {
    return `postgres://postgres@localhost/postgres?host=${encodeURIComponent(this.socketFolder)}`;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const { worker } = this;
    if (worker) {
      const stopped = new Promise<void>((resolve) => {
        worker.on('message', (word: Word) => word.kind === 'stopped' && resolve());
        worker.on('exit', () => resolve());
      });
      worker.postMessage('stop');
      await stopped;
      await worker.terminate();
    }
    rmSync(socketIn(this.socketFolder), { force: true });
    if (this.socketFolder !== this.folder) rmSync(this.socketFolder, { recursive: true, force: true });
  }

  /** For tests: the next statement breaks the engine. */
  breakNext(): void {
    this.worker?.postMessage('break');
  }

  private async begin(): Promise<void> {
    const worker = new Worker(THREAD, {
      workerData: { folder: join(this.folder, 'database'), socket: socketIn(this.socketFolder) },
    });
    this.worker = worker;
    let ready = false;
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (word: Word) => {
        if (word.kind === 'ready') resolve();
        if (word.kind === 'broken') this.restart(worker, word.message);
      });
      worker.on('error', (error) => (ready ? this.restart(worker, String(error)) : reject(error)));
      worker.on('exit', () =>
        ready ? this.restart(worker, 'the thread ended') : reject(new Error('the database did not open')),
      );
    });
    ready = true;
  }

  /** Ends the thread, with what was not committed, and starts the next one; until then the database is unavailable. */
  private restart(worker: Worker, reason: string): void {
    if (this.stopping || worker !== this.worker) return;
    this.worker = undefined;
    this.log.error({ event: 'database.restarted', reason }, 'the embedded database broke and is started again');
    void worker
      .terminate()
      .then(() => (this.stopping ? undefined : this.begin()))
      .catch((err: unknown) =>
        this.log.fatal({ event: 'database.lost', err }, 'the embedded database does not start again'),
      );
  }
}

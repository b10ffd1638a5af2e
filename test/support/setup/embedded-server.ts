import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** An embedded database in a thread: a connection string, and its dump. It ends with the process. */
export class EmbeddedServer {
  private constructor(
    readonly url: string,
    private readonly worker: Worker,
  ) {}

  /** From the dumped data folder `template`, or empty. The socket is made in a new folder within `within`. */
  static async start(within: string, template?: string): Promise<EmbeddedServer> {
    const folder = mkdtempSync(join(within, 'e'));
    const worker = new Worker(new URL('./embedded.worker.mjs', import.meta.url), {
      workerData: { socket: join(folder, '.s.PGSQL.5432'), template },
    });
    await once(worker, 'message');
    worker.unref();
    return new EmbeddedServer(`postgres://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`, worker);
  }

  async dump(): Promise<Uint8Array> {
    this.worker.postMessage('dump');
    const [{ dump }] = (await once(this.worker, 'message')) as [{ dump: Uint8Array }];
    return dump;
  }

  async stop(): Promise<void> {
    await this.worker.terminate();
  }
}

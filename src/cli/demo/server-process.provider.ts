import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Waiting } from './waiting.provider.js';

const START_WITHIN_MS = 180_000;
/** Longer than a server gives itself (COVEY_SHUTDOWN_TIMEOUT). */
const STOP_WITHIN_MS = 30_000;

export interface ServerProcessOptions {
  readonly name: string;
  /** `main.js` of the built service. */
  readonly script: string;
  /** Where its data folder and its log go. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Ports that nobody listens on at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(probes.map(listen));
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return ports;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** So that a server does not outlive the demo, however that ends. */
const LEASH = 'data:text/javascript,process.once("disconnect",()=>process.kill(process.pid,"SIGTERM"))';

/** One Covey in a process of its own. */
export class ServerProcess {
  private ended: { readonly code: number | null } | undefined;

  private constructor(
    private readonly options: ServerProcessOptions,
    private readonly child: ChildProcess,
  ) {
    child.once('exit', (code) => (this.ended = { code }));
    child.once('error', () => (this.ended ??= { code: null }));
  }

  static start(options: ServerProcessOptions): ServerProcess {
    const { script, folder, environment } = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const log = openSync(join(folder, 'log'), 'a', 0o600);
    const child = spawn(process.execPath, ['--import', LEASH, script], {
      cwd: folder,
      env: { ...environment, COVEY_DATA: join(folder, 'data') },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    return new ServerProcess(options, child);
  }

  get name(): string {
    return this.options.name;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get log(): string {
    return join(this.options.folder, 'log');
  }

  get apiKeyFile(): string {
    return join(this.options.folder, 'data', 'api-key');
  }

  /** Throws when it ends instead, or takes too long. */
  async ready(waiting: Waiting, isReady: () => Promise<boolean>): Promise<void> {
    await waiting.until(`server ${this.name} is ready`, START_WITHIN_MS, async () =>
      this.ended || (await isReady()) ? true : undefined,
    );
    if (this.ended) throw new Error(`server ${this.name} ended with code ${this.ended.code}`);
  }

  /** The same again, after it was stopped. */
  again(): ServerProcess {
    return ServerProcess.start(this.options);
  }

  /** The end of its log. */
  lastWords(lines = 12): string {
    return readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Asks it to stop, and ends it when it does not. Says whether it stopped by itself. */
  async stop(): Promise<boolean> {
    if (!this.ended) {
      const exit = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
      this.child.kill('SIGTERM');
      const late = AbortSignal.timeout(STOP_WITHIN_MS);
      late.addEventListener('abort', () => this.child.kill('SIGKILL'), { once: true });
      await exit;
    }
    return this.ended?.code === 0;
  }
}

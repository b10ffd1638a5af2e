import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { host, type Host, ocmAddress } from '../../kernel/address.js';
import type { Clock } from '../../kernel/clock.js';
import { GROUP } from './act-founding.js';
import { OpenFileServer } from './file-server.provider.js';
import { LoopbackClient } from './loopback.client.js';
import { freePorts, ServerProcess } from './server-process.provider.js';
import type { Answer, Server, Stage } from './stage.js';
import { Waiting } from './waiting.provider.js';

const NAMES = ['alpha', 'beta', 'gamma'] as const;
/** Short, so that the story can wait for a token to die of age. */
const TOKEN_LIFETIME_S = 10;
const COMES_TRUE_WITHIN_MS = 60_000;

export interface Surroundings {
  readonly clock: Clock;
  /** `main.js` of the built service. */
  readonly script: string;
  /** What the servers inherit: paths and locale, no configuration. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Makes an empty database below a folder and says where. It is copied for every server, since to make one takes longer
   * than all else that a server does when it starts for the first time.
   */
  readonly emptyDatabase: (folder: string) => Promise<string>;
  /** Where a folder may be made for as long as this lasts. */
  readonly temporary: string;
  readonly signal: AbortSignal;
}

interface Running {
  readonly domain: Host;
  readonly port: number;
  process: ServerProcess;
}

/** Three servers and a file server on this machine: opened together, closed whatever happens. */
export class OpenStage {
  private readonly folder: string;
  private readonly http = new LoopbackClient();
  private readonly waiting: Waiting;
  private readonly running: Running[] = [];
  private files: OpenFileServer | undefined;
  private copy: Promise<Server> | undefined;

  constructor(private readonly around: Surroundings) {
    this.folder = mkdtempSync(join(around.temporary, 'covey-demo-'));
    this.waiting = new Waiting(around.clock, around.signal);
  }

  /** Throws when a server does not come up. */
  async open(): Promise<Stage> {
    const [ports, database] = await Promise.all([
      freePorts(NAMES.length),
      this.around.emptyDatabase(join(this.folder, 'empty')),
    ]);
    for (const [index, name] of NAMES.entries()) {
      cpSync(database, join(this.folder, name, 'data', 'database'), { recursive: true });
      const domain = host(`${name}.localhost:${ports[index]}`);
      this.run(name, domain, ports[index]!);
    }
    const [alpha, beta, gamma] = await Promise.all(this.running.map((one) => this.server(one)));
    const trusting = { issuer: alpha!.domain, group: alpha!.user(GROUP) };
    this.files = await OpenFileServer.start(join(this.folder, 'files'), trusting, this.http, this.around.clock);
    const until: Stage['until'] = (what, probe) => this.waiting.until(what, COMES_TRUE_WITHIN_MS, probe);
    const copyOfGamma = () => (this.copy ??= this.copyOf(this.running[2]!));
    return { alpha: alpha!, beta: beta!, gamma: gamma!, files: this.files, copyOfGamma, until, notes: new Map() };
  }

  /** Where to look at servers that stay. */
  get places(): { name: string; url: string; pid: number | undefined; apiKeyFile: string; log: string }[] {
    return this.running.map(({ domain, port, process: { name, pid, apiKeyFile, log } }) => {
      // The domain of a copy leads to the original.
      const url = `http://${domain.endsWith(`:${port}`) ? domain : `127.0.0.1:${port}`}`;
      return { name, url, pid, apiKeyFile, log };
    });
  }

  /** What the servers said last, for who has to find out what went wrong. */
  get lastWords(): string {
    return this.running.map(({ process }) => `--- ${process.name}\n${process.lastWords()}`).join('\n');
  }

  /** Stops everything that was started; says whether every server stopped cleanly. */
  async close(): Promise<boolean> {
    const clean = await Promise.all(this.running.map(({ process }) => process.stop()));
    await this.files?.close();
    await this.http.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    return clean.every(Boolean);
  }

  private run(name: string, domain: Host, port: number): Running {
    const { script, environment } = this.around;
    const process = ServerProcess.start({
      name,
      script,
      folder: join(this.folder, name),
      environment: {
        ...environment,
        COVEY_DOMAIN: domain,
        COVEY_LISTEN: `127.0.0.1:${port}`,
        COVEY_DEVELOPMENT: 'on',
        COVEY_PROVIDER_NAME: `Covey ${name}`,
        COVEY_TOKEN_LIFETIME: String(TOKEN_LIFETIME_S),
      },
    });
    const one = { domain, port, process };
    this.running.push(one);
    return one;
  }

  /** While its database is closed; a copy of a database in use may be torn. */
  private async copyOf(original: Running): Promise<Server> {
    const name = 'copy';
    const [port] = await freePorts(1);
    await original.process.stop();
    cpSync(join(this.folder, original.process.name), join(this.folder, name), { recursive: true });
    original.process = original.process.again();
    const copy = this.run(name, original.domain, port!);
    const [server] = await Promise.all([this.server(copy), this.server(original)]);
    return server;
  }

  /** Addressed by its port: the domain of a copy leads to the original. */
  private async server({ domain, port, process }: Running): Promise<Server> {
    const url = `http://127.0.0.1:${port}`;
    await process.ready(this.waiting, async () => (await this.http.send('GET', `${url}/readyz`)).status === 200);
    const key = readFileSync(process.apiKeyFile, 'utf8').trim();
    const send = (method: string, path: string, body?: object): Promise<Answer> => {
      const headers = {
        host: domain,
        authorization: `Bearer ${key}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      };
      return this.http.send(method, `${url}${path}`, headers, body && JSON.stringify(body));
    };
    return {
      name: process.name,
      domain,
      url,
      user: (identifier) => ocmAddress(`${identifier}@${domain}`),
      get: (path) => send('GET', path),
      post: (path, body) => send('POST', path, body),
      delete: (path) => send('DELETE', path),
    };
  }
}

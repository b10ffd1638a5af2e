import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { InjectionToken } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { createApp } from '../../src/app.module.js';
import type { Host } from '../../src/kernel/address.js';
import type { Clock } from '../../src/kernel/clock.js';
import { isFault } from '../../src/kernel/fault.js';
import type { HttpAnswer, HttpRequest } from '../../src/kernel/network.js';
import { configFrom } from '../../src/platform/config.js';
import { Log } from '../../src/platform/logger.service.js';
import { Poller, type Turn } from '../../src/platform/poller.service.js';
import { backUp, restore } from './backup.js';
import { CrashPoint } from './crash.js';
import { type Lease, leaseDatabase } from './database.js';
import { TestDice } from './dice.js';
import type { Wire } from './wire.js';

export type Environment = Readonly<Record<string, string>>;

interface Surroundings {
  readonly clock: Clock;
  readonly wire: Wire;
  /** Called after every boot, before anything else happens. */
  readonly booted?: ((server: TestServer) => void) | undefined;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

const MOST_TURNS = 2_000;

/** When a worker found nothing to do, where it looked, and what had been written there by then. */
interface Rest {
  readonly boots: number;
  readonly at: number;
  readonly tables: readonly string[];
  readonly writes: number;
}

/** One whole Covey on a host of its own, with its own database and keys. Its workers take turns when asked to. */
export class TestServer {
  /** Worker failures that the service would have logged and tried again, since the last boot. */
  readonly failures: string[] = [];
  private app: NestFastifyApplication | undefined;
  private point = new CrashPoint();
  private boots = 0;
  private readonly folder = mkdtempSync(join(tmpdir(), 'covey-server-'));
  /** Each worker's last look that found nothing to do. */
  private readonly rests = new Map<Turn, Rest>();

  private constructor(
    readonly host: Host,
    private readonly lease: Lease,
    private readonly around: Surroundings,
    private environment: Environment,
  ) {}

  static async start(host: Host, around: Surroundings, environment: Environment = {}): Promise<TestServer> {
    const server = new TestServer(host, await leaseDatabase(), around, environment);
    await server.boot();
    return server;
  }

  get isAlive(): boolean {
    return this.app !== undefined && !this.point.isDead;
  }

  /** Where it dies, and the statements it ran. */
  get crash(): CrashPoint {
    return this.point;
  }

  /** The time as this server has it. */
  get now(): Date {
    return this.around.clock.now();
  }

  /** A provider of the running service. */
  get<T>(token: InjectionToken<T>): T {
    return this.running.get<T>(token, { strict: false });
  }

  /** Reads the database past the service. Only while the service does nothing. */
  query<T extends object>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return this.get(DataSource).query<T[]>(sql, parameters);
  }

  /** Dies at once: nothing is finished, nobody is told, what was not committed is lost. */
  async kill(): Promise<void> {
    const source = this.running.get(DataSource);
    this.point.die();
    this.around.wire.detach(this.host);
    this.app = undefined;
    await source.destroy();
  }

  /** Boots anew on the same database, after `kill` or a crash; with other environment variables beside those it had. */
  async restart(changes: Environment = {}): Promise<void> {
    if (this.app) await this.kill();
    this.environment = { ...this.environment, ...changes };
    await this.boot();
  }

  /** Ends in order and gives the database back. */
  async stop(): Promise<void> {
    if (this.isAlive) await this.app?.close();
    else if (this.app) await this.kill();
    await this.lease.release();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A copy of the whole database, in the stead of an earlier one. */
  backUp(): Promise<void> {
    return backUp(this.get(DataSource));
  }

  /** The machine is lost. A new one boots on the copy; what stands beside the database was kept. */
  async restoreBackup(): Promise<void> {
    await this.kill();
    const source = await this.lease.open([]);
    await restore(source);
    await source.destroy();
    await this.boot();
  }

  /** One request to the EFSS's interface, with the API key. */
  async api(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer> {
    const answer = await this.running.inject({
      method,
      url: `/api/v1${path}`,
      headers: { authorization: `Bearer ${apiKeyOf(this.host)}`, ...headers },
      ...(body && { payload: body }),
    });
    const isJson = /json\b/.test(String(answer.headers['content-type']));
    return { status: answer.statusCode, body: isJson ? answer.json<unknown>() : answer.payload };
  }

  /** Bytes to the EFSS's interface, and what comes back of them. */
  async bytes(path: string, body: Uint8Array | Readable, headers: Readonly<Record<string, string>> = {}) {
    const answer = await this.running.inject({
      method: 'POST',
      url: `/api/v1${path}`,
      headers: {
        authorization: `Bearer ${apiKeyOf(this.host)}`,
        'content-type': 'application/octet-stream',
        ...headers,
      },
      payload: body instanceof Uint8Array ? Buffer.from(body) : body,
    });
    return { status: answer.statusCode, headers: answer.headers, body: new Uint8Array(answer.rawPayload) };
  }

  /** Every worker takes turns until it has nothing to do; one that rests is left alone. */
  async drain(): Promise<void> {
    for (const turn of this.turns) {
      for (let taken = 1; !this.rest(turn) && (await this.take(turn)); taken++)
        if (taken > MOST_TURNS) throw new Error(`${turn.name} on ${this.host} does not come to an end`);
    }
  }

  /** Whether every worker rests. */
  get isAtRest(): boolean {
    return this.turns.every((turn) => this.rest(turn));
  }

  /** Time went by, and something fell due in these tables alone: who looked at none of them may go on resting. */
  sleepOn(fallen: readonly string[]): void {
    const at = this.now.getTime();
    for (const [turn, rest] of this.rests) {
      const wakes = rest.tables.length === 0 ? fallen.length > 0 : rest.tables.some((table) => fallen.includes(table));
      if (!wakes) this.rests.set(turn, { ...rest, at });
    }
  }

  /** Its workers, each to be asked for a turn. */
  get turns(): readonly Turn[] {
    return this.isAlive ? this.get(Poller).turns : [];
  }

  /**
   * Whether a worker would find nothing again: no time went by since it looked, and nothing was written to the tables that
   * it looked at. One that asks no database is asked again whenever anything was written.
   */
  private rest(turn: Turn): boolean {
    const rest = this.rests.get(turn);
    if (rest?.boots !== this.boots || rest.at !== this.now.getTime()) return false;
    return rest.writes === (rest.tables.length > 0 ? this.point.writesTo(rest.tables) : this.point.wrote);
  }

  private get running(): NestFastifyApplication {
    if (!this.app) throw new Error(`${this.host} does not run`);
    return this.app;
  }

  private async boot(): Promise<void> {
    const { clock, wire } = this.around;
    const point = new CrashPoint();
    const config = Object.assign(configFrom(this.variables), { databasePool: this.lease.poolSize });
    const dice = new TestDice(`${this.host}/${++this.boots}`);
    const network = wire.networkOf(this.host, () => !point.isDead);
    this.app = await createApp({ config, clock, dice, network, log: new Log(config.logLevel) });
    this.point = point;
    this.failures.length = 0;
    point.wrap(this.app.get(DataSource));
    wire.attach(this.host, (request, from) => this.answer(request, from));
    this.around.booted?.(this);
  }

  /** What it was configured with, for another process beside it. */
  get variables(): Environment {
    return {
      COVEY_DOMAIN: this.host,
      COVEY_DATA: this.folder,
      DATABASE_URL: this.lease.url,
      COVEY_SEALING_KEY: Buffer.from(new TestDice(`${this.host}/sealing`).bytes(32)).toString('base64url'),
      COVEY_API_KEY: apiKeyOf(this.host),
      ...NEVER_OF_ITSELF,
      COVEY_LOG_LEVEL: process.env['COVEY_LOG_LEVEL'] ?? 'silent',
      ...this.environment,
    };
  }

  /** What comes over the wire, as a proxy would hand it on. */
  private async answer({ method, url, headers, body }: HttpRequest, from: Host): Promise<HttpAnswer | undefined> {
    const { pathname, search, host } = new URL(url);
    const answer = await this.running.inject({
      method,
      url: pathname + search,
      headers: { host, ...headers },
      remoteAddress: this.around.wire.addressOf(from),
      ...(body && { payload: Buffer.from(body) }),
    });
    if (!this.isAlive) return undefined;
    const fields = Object.entries(answer.headers).map(([name, value]) => [name, [value].flat().join(', ')] as const);
    return { status: answer.statusCode, headers: Object.fromEntries(fields), body: new Uint8Array(answer.rawPayload) };
  }

  /** As the poller does it: what fails is tried again later. What is no Fault is a bug, and fails the test. */
  private async take(turn: Turn): Promise<boolean> {
    const { wrote } = this.point;
    const begun = this.point.statements.length;
    const at = this.now.getTime();
    try {
      if (!this.isAlive || (await turn.turn())) return this.isAlive;
    } catch (error) {
      if (!this.isAlive) return false;
      if (!isFault(error) || error.code === 'internal') throw error;
      this.failures.push(`${turn.name}: ${error.message} ${JSON.stringify(error.facts)}`);
    }
    // A turn that wrote although it has nothing to do is taken again.
    if (this.point.wrote !== wrote) return false;
    const tables = this.point.tablesSince(begun);
    const writes = tables.length > 0 ? this.point.writesTo(tables) : wrote;
    this.rests.set(turn, { boots: this.boots, at, tables, writes });
    return false;
  }
}

/** A story's epochs are those of its people; stories about updates and takeovers say when. */
const NEVER_OF_ITSELF: Environment = {
  COVEY_UPDATE_INTERVAL: '315359998',
  COVEY_UPDATE_DEADLINE: '315359999',
  COVEY_TAKEOVER_TIME: '315360000',
};

const apiKeyOf = (host: Host): string => `key-of-${host}`.replaceAll(/[^a-z0-9-]/g, '-').padEnd(40, 'x');

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { InjectionToken } from '@nestjs/common';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { createApp } from '../../src/app.module.js';
import type { Host } from '../../src/kernel/address.js';
import type { Clock } from '../../src/kernel/clock.js';
import { isFault } from '../../src/kernel/fault.js';
import type { HttpAnswer, HttpRequest } from '../../src/kernel/network.js';
import { configFrom } from '../../src/platform/config.js';
import { Log } from '../../src/platform/logger.service.js';
import type { Turn } from '../../src/platform/poller.service.js';
import { backUp, restore } from './backup.js';
import { CrashPoint } from './crash.js';
import { type Lease, leaseDatabase } from './database.js';
import { TestDice } from './dice.js';
import { apiKeyOf, type Environment, variablesOf } from './environment.js';
import { heard, Processes, type Replica, type Replicas } from './processes.js';
import { Rests } from './rests.js';
import type { Wire } from './wire.js';

interface Surroundings {
  readonly clock: Clock;
  readonly wire: Wire;
  /** Called after every boot of a process, before anything else happens; the server is seen as that process has it. */
  readonly booted?: ((server: TestServer) => void) | undefined;
  readonly replicas?: Replicas | undefined;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

const MOST_TURNS = 2_000;

/**
 * One whole Covey on a host of its own, with its own database and keys. Its workers take turns when asked to. It is one
 * process, or several on the same database, each of which does what falls to it.
 */
export class TestServer {
  /** Worker failures that the service would have logged and tried again, since the last boot. */
  readonly failures: string[] = [];
  private readonly processes: Processes;
  private boots = 0;
  private readonly folder = mkdtempSync(join(tmpdir(), 'covey-server-'));
  private readonly rests: Rests;

  private constructor(
    readonly host: Host,
    private readonly lease: Lease,
    private readonly around: Surroundings,
    private environment: Environment,
  ) {
    this.processes = new Processes(around.replicas);
    this.rests = new Rests((tables) => this.processes.writesTo(tables));
  }

  static async start(host: Host, around: Surroundings, environment: Environment = {}): Promise<TestServer> {
    const server = new TestServer(host, await leaseDatabase(), around, environment);
    await server.boot();
    return server;
  }

  get isAlive(): boolean {
    return this.processes.alive.length > 0;
  }

  /** Whether all of its processes are alive. */
  get isWhole(): boolean {
    return this.processes.isWhole;
  }

  /** Where a process dies, and the statements it ran: of the one that would do the next thing. */
  get crash(): CrashPoint {
    const process = this.processes.chosen ?? this.processes.first;
    if (!process) throw new Error(`${this.host} does not run`);
    return process.point;
  }

  /** No process dies of what was armed any more. */
  disarm(): void {
    this.processes.disarm();
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

  /** Dies at once, with all its processes: nothing is finished, nobody is told, what was not committed is lost. */
  async kill(): Promise<void> {
    if (this.processes.areNone) throw new Error(`${this.host} does not run`);
    this.around.wire.detach(this.host);
    this.processes.die();
    await this.processes.bury();
  }

  /** The same of one of them; the others go on. */
  async killOne(): Promise<void> {
    if (this.processes.alive.length <= 1) return this.kill();
    this.processes.chosen!.point.die();
    await this.processes.bury();
  }

  /** Boots anew on the same database, after `kill` or a crash; with other environment variables beside those it had. */
  async restart(changes: Environment = {}): Promise<void> {
    if (!this.processes.areNone) await this.kill();
    this.environment = { ...this.environment, ...changes };
    await this.boot();
  }

  /** Boots what does not run of it. */
  async revive(): Promise<void> {
    if (!this.isAlive) return this.restart();
    await this.processes.bury();
    while (!this.isWhole) await this.bootOne();
  }

  /** Ends in order and gives the database back. */
  async stop(): Promise<void> {
    await this.processes.bury();
    await this.processes.close();
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
    const answer = heard(
      await this.inject({
        method,
        url: `/api/v1${path}`,
        headers: { authorization: `Bearer ${apiKeyOf(this.host)}`, ...headers },
        ...(body && { payload: body }),
      }),
    );
    const isJson = /json\b/.test(String(answer.headers['content-type']));
    return { status: answer.statusCode, body: isJson ? answer.json<unknown>() : answer.payload };
  }

  /** Bytes to the EFSS's interface, and what comes back of them. */
  async bytes(path: string, body: Uint8Array | Readable, headers: Readonly<Record<string, string>> = {}) {
    const answer = heard(
      await this.inject({
        method: 'POST',
        url: `/api/v1${path}`,
        headers: {
          authorization: `Bearer ${apiKeyOf(this.host)}`,
          'content-type': 'application/octet-stream',
          ...headers,
        },
        payload: body instanceof Uint8Array ? Buffer.from(body) : body,
      }),
    );
    return { status: answer.statusCode, headers: answer.headers, body: new Uint8Array(answer.rawPayload) };
  }

  /** Every worker takes turns until it has nothing to do; one that rests is left alone. */
  async drain(): Promise<void> {
    for (const turn of this.turns) {
      for (let taken = 1; !this.rests.has(turn, this.boots, this.now) && (await this.take(turn)); taken++)
        if (taken > MOST_TURNS) throw new Error(`${turn.name} on ${this.host} does not come to an end`);
    }
  }

  /** Whether every worker rests. */
  get isAtRest(): boolean {
    return this.turns.every((turn) => this.rests.has(turn, this.boots, this.now));
  }

  /** Time went by, and something fell due in these tables alone: who looked at none of them may go on resting. */
  sleepOn(fallen: readonly string[]): void {
    this.rests.sleepOn(fallen, this.now);
  }

  /** Its workers, each to be asked for a turn: the same of all processes, one after the other, from any of them on. */
  get turns(): readonly Turn[] {
    return this.processes.turns;
  }

  private get running(): NestFastifyApplication {
    const { first } = this.processes;
    if (!first) throw new Error(`${this.host} does not run`);
    return first.app;
  }

  private async boot(): Promise<void> {
    while (!this.isWhole) await this.bootOne();
    this.around.wire.attach(this.host, (request, from) => this.answer(request, from));
  }

  private async bootOne(): Promise<void> {
    const { clock, wire } = this.around;
    const point = new CrashPoint();
    const config = Object.assign(configFrom(this.variables), { databasePool: this.lease.poolSize });
    const dice = new TestDice(`${this.host}/${++this.boots}`);
    const network = wire.networkOf(this.host, () => !point.isDead);
    const app = await createApp({ config, clock, dice, network, log: new Log(config.logLevel) });
    this.failures.length = 0;
    point.wrap(app.get(DataSource));
    this.processes.add({ app, point });
    this.around.booted?.(this.seenBy({ app, point }));
  }

  /** This server as one of its processes has it. */
  private seenBy({ app, point }: Replica): TestServer {
    return Object.create(this, {
      get: { value: (token: InjectionToken) => app.get<unknown>(token, { strict: false }) },
      isAlive: { get: () => !point.isDead },
    }) as TestServer;
  }

  /** What one of the processes answers; nothing when it dies over that, and others go on. */
  private async inject(request: InjectOptions): Promise<LightMyRequestResponse | undefined> {
    const { chosen } = this.processes;
    const answer = await (chosen?.app ?? this.running).inject(request);
    return chosen && !(await this.outlived(chosen.point)) && this.isAlive ? undefined : answer;
  }

  /** What it was configured with, for another process beside it. */
  get variables(): Environment {
    return variablesOf(this.host, this.folder, this.lease.url, this.environment);
  }

  /** What comes over the wire, as a proxy would hand it on. */
  private async answer({ method, url, headers, body }: HttpRequest, from: Host): Promise<HttpAnswer | undefined> {
    const { pathname, search, host } = new URL(url);
    const answer = await this.inject({
      method,
      url: pathname + search,
      headers: { host, ...headers },
      remoteAddress: this.around.wire.addressOf(from),
      ...(body && { payload: Buffer.from(body) }),
    });
    if (!answer || !this.isAlive) return undefined;
    const fields = Object.entries(answer.headers).map(([name, value]) => [name, [value].flat().join(', ')] as const);
    return { status: answer.statusCode, headers: Object.fromEntries(fields), body: new Uint8Array(answer.rawPayload) };
  }

  /** As the poller does it: what fails is tried again later. What is no Fault is a bug, and fails the test. */
  private async take(turn: Turn): Promise<boolean> {
    const point = this.processes.pointOf(turn);
    if (!point) return false;
    const wrote = this.processes.writesTo();
    const begun = point.statements.length;
    const at = this.now.getTime();
    try {
      if (await turn.turn()) return await this.outlived(point);
    } catch (error) {
      if (!(await this.outlived(point))) return false;
      if (!isFault(error) || error.code === 'internal') throw error;
      this.failures.push(`${turn.name}: ${error.message} ${JSON.stringify(error.facts)}`);
    }
    // A turn that wrote although it has nothing to do is taken again.
    if (this.processes.writesTo() !== wrote) return false;
    this.rests.add(turn, this.boots, at, point.lookedSince(begun));
    return false;
  }

  /** Whether a process is alive after what it did; when it is not and others are, it is buried. */
  private async outlived(point: CrashPoint): Promise<boolean> {
    if (point.isDead && this.isAlive) await this.processes.bury();
    return !point.isDead;
  }
}

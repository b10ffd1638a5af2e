import { host, type Host, hostOf, ocmAddress } from '../../src/kernel/address.js';
import type { Clock } from '../../src/kernel/clock.js';
import { Person } from './cast.js';
import { Crash } from './crash.js';
import { TestClock } from './clock.js';
import type { Link } from './link.js';
import type { Replicas } from './processes.js';
import type { Environment } from './environment.js';
import { TestServer } from './server.js';
import { Wire } from './wire.js';

const MOST_ROUNDS = 200;
/** How finely `pass` looks at a span of time. */
const STEPS = 500;
/** Columns that say when something is to be done. */
const DUE = ['due_at', 'next_try_at', 'leased_until', 'quiet_until'];

/** The first time, by the world's clock, at which something is to be done in a table. */
interface Due {
  readonly table: string;
  readonly at: Date;
}

/** What is done to every server of a world. */
export interface Customs {
  /** The clock on a server's wall; without it all have the world's own. */
  readonly clockOf?: (host: Host, clock: TestClock) => Clock;
  /** Called after every boot of a process of a server, which is seen as that process has it. */
  readonly booted?: (server: TestServer) => void;
  /** Every server has so many processes. */
  readonly replicas?: Replicas | undefined;
}

/**
 * Several servers, one clock, one network. Nothing moves by itself: `settle` lets everybody work until nothing is left
 * to do now, `pass` lets time go by.
 *
 *     await using world = await World.of('a.test', 'b.test');
 */
export class World implements AsyncDisposable {
  readonly clock = new TestClock();
  readonly network = new Wire(this.clock);
  private readonly servers = new Map<string, TestServer>();

  private everyDue: string | undefined;

  private constructor(private readonly customs: Customs) {}

  static of(...hosts: readonly string[]): Promise<World> {
    return World.with(Object.fromEntries(hosts.map((name) => [name, {}])));
  }

  /** The same, with environment variables for each host. */
  static async with(hosts: Readonly<Record<string, Environment>>, customs: Customs = {}): Promise<World> {
    const world = new World(customs);
    try {
      for (const [name, environment] of Object.entries(hosts)) await world.add(name, environment);
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** One more server. */
  async add(name: string, environment: Environment = {}): Promise<TestServer> {
    const { clockOf, booted, replicas } = this.customs;
    const clock = clockOf?.(host(name), this.clock) ?? this.clock;
    const server = await TestServer.start(host(name), { clock, wire: this.network, booted, replicas }, environment);
    this.servers.set(name, server);
    return server;
  }

  server(name: string): TestServer {
    const server = this.servers.get(name);
    if (!server) throw new Error(`There is no ${name} in this world.`);
    return server;
  }

  /** Users, made known to their servers, with KeyPackages in stock. */
  async users<const T extends readonly string[]>(...addresses: T): Promise<{ [K in keyof T]: Person }> {
    const people: Person[] = [];
    for (const address of addresses.map(ocmAddress)) {
      const server = this.server(hostOf(address));
      const { status, body } = await server.api('POST', '/users', { address, displayName: address });
      if (status !== 201) throw new Error(`${address} was not made known: ${JSON.stringify(body)}`);
      people.push(new Person(address, server, () => this.settle()));
    }
    await this.settle();
    return people as { [K in keyof T]: Person };
  }

  /** The way of requests from one server to another. */
  wire(from: string, to: string): Link {
    return this.network.between(from as Host, to as Host);
  }

  kill = (name: string): Promise<void> => this.server(name).kill();
  restart = (name: string): Promise<void> => this.server(name).restart();

  /** Every worker of every server takes turns until nothing is left to do at this time. Throws when that has no end. */
  async settle(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const late = await this.network.deliverLate();
      const busy = [...this.servers.values()].filter(({ isAtRest }) => !isAtRest);
      if (!late && busy.length === 0) return;
      for (const server of busy) await server.drain();
    }
    const failures = [...this.servers.values()].flatMap(({ host: name, failures: found }) =>
      found.slice(-3).map((failure) => `${name}: ${failure}`),
    );
    throw new Error(`The world does not settle.\n${failures.join('\n')}`);
  }

  /** That much time goes by. Whenever something falls due on the way, everybody whom it concerns works. */
  async pass(ms: number): Promise<void> {
    const end = new Date(this.clock.now().getTime() + ms);
    const left = () => end.getTime() - this.clock.now().getTime();
    await this.settle();
    for (let due = await this.due(); due.next && due.next < end; due = await this.due()) {
      // What falls due shortly after that is done together with it.
      this.clock.advance(Math.min(due.next.getTime() - this.clock.now().getTime() + ms / STEPS, left()));
      const now = this.clock.now();
      for (const [server, dues] of due.of) {
        server.sleepOn(dues.filter(({ at }) => at <= now).map(({ table }) => table));
      }
      await this.settle();
    }
    this.clock.advance(end);
    await this.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers.values()) await server.stop();
  }

  /** The first time after now at which anything, anywhere, is to be done, and what is on each server. */
  private async due(): Promise<{ readonly next?: Date; readonly of: ReadonlyMap<TestServer, readonly Due[]> }> {
    const now = this.clock.now();
    const of = new Map<TestServer, readonly Due[]>();
    for (const server of this.servers.values()) if (server.isAlive) of.set(server, await this.dueOn(server, now));
    const dues = [...of.values()].flat().map(({ at }) => at);
    const times = [this.network.nextDue(), ...dues].filter((time) => time !== undefined && time > now);
    const next = times.sort((a, b) => a!.getTime() - b!.getTime())[0];
    return { of, ...(next && { next }) };
  }

  /** Nothing on a server that dies of being asked: it is dead like any other. */
  private async dueOn(server: TestServer, now: Date): Promise<readonly Due[]> {
    const behind = now.getTime() - server.now.getTime();
    try {
      const found = await server.query<{ table: string; due: Date }>(await this.dueQuery(server), [server.now]);
      return found.map(({ table, due }) => ({ table, at: new Date(due.getTime() + behind) }));
    } catch (error) {
      if (error instanceof Crash) return [];
      throw error;
    }
  }

  /** All servers have the same tables. */
  private async dueQuery(server: TestServer): Promise<string> {
    this.everyDue ??= await dueQueryOf(server);
    return this.everyDue;
  }
}

async function dueQueryOf(server: TestServer): Promise<string> {
  const columns = await server.query<{ table: string; column: string }>(
    `SELECT table_name AS table, column_name AS column FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name = ANY($1) ORDER BY 1, 2`,
    [DUE],
  );
  const each = columns.map(
    ({ table, column }) => `SELECT '${table}' AS table, min(${column}) AS due FROM ${table} WHERE ${column} > $1`,
  );
  return `SELECT * FROM (${each.join(' UNION ALL ')}) AS every WHERE due IS NOT NULL`;
}

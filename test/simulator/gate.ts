import { AsyncLocalStorage } from 'node:async_hooks';
import { DataSource, type QueryRunner } from 'typeorm';
import { Crash } from '../support/crash.js';
import { PeerDirectory } from '../../src/ocm/peer-directory.client.js';
import { CourierWorker } from '../../src/outbox/courier.worker.js';
import type { TestServer } from '../support/server.js';
import type { Chance } from './chance.js';

/** A statement that waits for its turn, runs, or waits in the database for a lock. */
interface Call {
  readonly release: () => void;
  readonly server: TestServer;
  readonly process: number | undefined;
  state: 'waiting' | 'running' | 'blocked';
}

/** When the server dies those who hold the connections give none back. */
interface Connecting {
  readonly server: TestServer;
  /** How many wait for a connection of that server; none of them has just been given one. */
  readonly queued: () => number;
  readonly giveUp: () => void;
}

/** One of the works that go on at the same time. */
interface Work {
  readonly calls: Call[];
  /** Those that wait for a connection. */
  readonly connecting: Set<Connecting>;
  /** Waits within its process for another one to claim a letter. */
  isHeld: boolean;
  done: boolean;
}

/** The database's locks, as somebody beside the servers sees them. */
export interface Locks {
  /** Those of the given database processes that wait for a lock. */
  blocked(processes: readonly number[]): Promise<readonly number[]>;
  /** Ends a process as the death of its client would. */
  end(process: number): Promise<void>;
}

const LOOK_AGAIN_MS = 2;
/** When nothing moved for so long, whoever has no statement waits within the process for what another work asks. */
const STILL_AFTER_MS = 100;

/**
 * Lets several works go on at the same time, statement by statement: one statement runs, all others wait, and chance
 * says which is next. So what the database would do by accident is done by the seed.
 */
export class Gate {
  private readonly current = new AsyncLocalStorage<Work>();
  private works: Work[] = [];
  private moves = 0;
  private wake: () => void = () => undefined;

  constructor(private readonly locks: Locks) {}

  /** From now on the server's statements pass here; outside of a race they pass freely. */
  guard(server: TestServer): void {
    const source = server.get(DataSource);
    const create = source.createQueryRunner.bind(source);
    source.createQueryRunner = (...args) => this.watch(create(...args), server);
    const turnstile = server.get(CourierWorker)['turnstile'];
    const pass = turnstile.pass.bind(turnstile);
    turnstile.pass = (go) =>
      this.hold((goOn) =>
        pass(() => {
          goOn();
          return go();
        }),
      );
    // Who wants a document that somebody else reads already waits for that.
    const directory = server.get(PeerDirectory);
    const read = directory['document'].bind(directory);
    directory['document'] = (peer, kind, after) => {
      const go = () => read(peer, kind, after);
      return directory['underWay'].has(`${kind} ${peer}`) ? this.hold(go) : go();
    };
  }

  /** What may wait for another work, within the process, until it ends or says that it goes on. */
  private hold<T>(wait: (goOn: () => void) => Promise<T>): Promise<T> {
    const work = this.current.getStore();
    const goOn = () => void (work && (work.isHeld = false));
    if (work) work.isHeld = true;
    return wait(goOn).finally(goOn);
  }

  /** Ends when all of them have ended. They must not throw. */
  async race(works: readonly (() => Promise<void>)[], chance: Chance): Promise<void> {
    const ends: Promise<void>[] = [];
    for (const work of works) {
      const mine: Work = { calls: [], connecting: new Set(), isHeld: false, done: false };
      this.works.push(mine);
      ends.push(this.current.run(mine, work).finally(() => this.finish(mine)));
      await this.quiet();
    }
    for (let next = this.choose(chance); next; next = this.choose(chance)) {
      next.state = 'running';
      next.release();
      await this.quiet();
    }
    await Promise.all(ends);
    this.works = [];
  }

  private finish(work: Work): void {
    work.done = true;
    this.move();
  }

  private choose(chance: Chance): Call | undefined {
    return chance.pick(this.calls.filter(({ state }) => state === 'waiting'));
  }

  private get calls(): Call[] {
    return this.works.flatMap(({ calls }) => calls);
  }

  /** Until every work has ended, waits for its turn, or is blocked while another one is not. */
  private async quiet(): Promise<void> {
    await this.look();
    for (let [seen, since] = [this.moves, performance.now()]; !this.isQuiet(performance.now() - since);) {
      const moved = new Promise<void>((resolve) => (this.wake = resolve));
      const timer = setTimeout(this.wake, LOOK_AGAIN_MS);
      await moved;
      clearTimeout(timer);
      await this.look();
      if (seen !== this.moves) [seen, since] = [this.moves, performance.now()];
    }
  }

  /** @param stillMs for how long nothing has moved */
  private isQuiet(stillMs: number): boolean {
    const { calls } = this;
    if (calls.some(({ state }) => state === 'running')) return false;
    const waits = calls.some(({ state }) => state === 'waiting');
    if (this.works.some((work) => !work.done && !work.isHeld && work.calls.length === 0 && !this.isQueued(work)))
      return waits && stillMs >= STILL_AFTER_MS;
    return waits || calls.length === 0;
  }

  /** All connections of the server are in use by others. */
  private isQueued({ connecting }: Work): boolean {
    const all = this.works.flatMap((work) => [...work.connecting]);
    const waits = ({ server, queued }: Connecting) => all.filter((one) => one.server === server).length === queued();
    return connecting.size > 0 && [...connecting].every(waits);
  }

  /** Sees which statements are blocked. What moves meanwhile may have freed another one, so it looks again. */
  private async look(): Promise<void> {
    // What came true within the process is known to whoever waited for it.
    await new Promise(setImmediate);
    for (const { server, giveUp } of this.works.flatMap(({ connecting }) => [...connecting])) {
      if (!server.isAlive) giveUp();
    }
    for (let seen = -1; seen !== this.moves;) {
      seen = this.moves;
      const sent = this.calls.filter(({ state, process }) => state !== 'waiting' && process !== undefined);
      if (sent.length === 0) return;
      const blocked = new Set(await this.locks.blocked(sent.map(({ process }) => process!)));
      for (const call of sent) {
        call.state = blocked.has(call.process!) ? 'blocked' : 'running';
        // Who holds the lock has died with the server, and will not give it back.
        if (call.state === 'blocked' && !call.server.isAlive) await this.locks.end(call.process!);
      }
    }
  }

  private move(): void {
    this.moves += 1;
    this.wake();
  }

  private watch(runner: QueryRunner, server: TestServer): QueryRunner {
    const query = runner.query.bind(runner) as (...args: unknown[]) => Promise<unknown>;
    const gated = async (...args: unknown[]): Promise<unknown> => {
      const work = this.current.getStore();
      if (!work) return query(...args);
      const process = await connected(work, runner, server);
      const call = await new Promise<Call>((resolve) => {
        const mine: Call = { release: () => resolve(mine), server, process, state: 'waiting' };
        work.calls.push(mine);
        this.move();
      });
      try {
        return await query(...args);
      } finally {
        work.calls.splice(work.calls.indexOf(call), 1);
        this.move();
      }
    };
    runner.query = gated as QueryRunner['query'];
    return runner;
  }
}

/** The database process that serves the runner. */
async function connected(work: Work, runner: QueryRunner, server: TestServer): Promise<number | undefined> {
  let waiting: Connecting | undefined;
  const died = new Promise<never>((_, reject) => {
    const { master: pool } = server.get(DataSource).driver as unknown as { master: { waitingCount: number } };
    waiting = { server, queued: () => pool.waitingCount, giveUp: () => reject(new Crash('no connection comes')) };
    work.connecting.add(waiting);
  });
  try {
    return ((await Promise.race([runner.connect(), died])) as { processID?: number }).processID;
  } finally {
    work.connecting.delete(waiting!);
  }
}

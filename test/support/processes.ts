import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { Poller, type Turn } from '../../src/platform/poller.service.js';
import type { CrashPoint } from './crash.js';

/** How many processes a server has on its one database, and which of those that are alive, `below` so many, is next. */
export interface Replicas {
  readonly count: number;
  readonly choose: (below: number) => number;
}

/** One process of a server, and where it dies. */
export interface Replica {
  readonly app: NestFastifyApplication;
  readonly point: CrashPoint;
}

/** What a client has of a process that died over its request, while others go on. */
export class ConnectionLost extends Error {}

/** Throws `ConnectionLost` in the stead of an answer that did not come. */
export function heard<T>(answer: T | undefined): T {
  if (answer === undefined) throw new ConnectionLost('the process that was asked died');
  return answer;
}

const known = new WeakMap<Replica, readonly Turn[]>();
function turnsOf(replica: Replica): readonly Turn[] {
  let turns = known.get(replica);
  if (!turns) known.set(replica, (turns = replica.app.get<Poller>(Poller, { strict: false }).turns));
  return turns;
}

/** The processes of one server: one, unless there are replicas. */
export class Processes {
  private all: Replica[] = [];
  private readonly gone: CrashPoint[] = [];

  constructor(private readonly replicas: Replicas = { count: 1, choose: () => 0 }) {}

  add(replica: Replica): void {
    this.all.push(replica);
  }

  get alive(): readonly Replica[] {
    return this.all.filter(({ point }) => !point.isDead);
  }

  /** Whether there are as many as there should be, and all of them are alive. */
  get isWhole(): boolean {
    return this.alive.length === this.replicas.count;
  }

  /** Neither alive nor to be buried. */
  get areNone(): boolean {
    return this.all.length === 0;
  }

  /** Who does the next thing. */
  get chosen(): Replica | undefined {
    const { alive } = this;
    return alive.length > 1 ? alive[this.replicas.choose(alive.length)] : alive[0];
  }

  /** One that is alive, if any is. */
  get first(): Replica | undefined {
    return this.alive[0] ?? this.all[0];
  }

  /** The workers of all that are alive: the same worker of each, and then the next one. */
  get turns(): readonly Turn[] {
    const turns = this.alive.map(turnsOf);
    return turns.length === 1 ? turns[0]! : (turns[0] ?? []).flatMap((_, worker) => turns.map((of) => of[worker]!));
  }

  /** Where the process of this worker dies; undefined when it is not alive. */
  pointOf(turn: Turn): CrashPoint | undefined {
    return this.alive.find((replica) => turnsOf(replica).includes(turn))?.point;
  }

  /** How many statements of any of them, those that are gone too, changed these tables; without names, anything. */
  writesTo(tables?: readonly string[]): number {
    const points = [...this.gone, ...this.all.map(({ point }) => point)];
    return points.reduce((sum, point) => sum + (tables ? point.writesTo(tables) : point.wrote), 0);
  }

  /** Nobody dies of what was armed any more. */
  disarm(): void {
    for (const { point } of this.all) point.disarm();
  }

  die(): void {
    for (const { point } of this.all) point.die();
  }

  /** What those that died held in the database is given back. */
  async bury(): Promise<void> {
    const dead = this.all.filter(({ point }) => point.isDead);
    this.all = this.all.filter(({ point }) => !point.isDead);
    for (const { app, point } of dead) {
      this.gone.push(point);
      await app.get(DataSource).destroy();
    }
  }

  /** Ends those that are alive in order. */
  async close(): Promise<void> {
    for (const { app } of this.alive) await app.close();
  }
}

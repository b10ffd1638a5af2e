import { hostOf } from '../../src/kernel/address.js';
import { type MessageOrder, supersedes } from '../../src/shares/message-order.js';
import { type Person, Refusal } from '../support/cast.js';
import type { Link } from '../support/link.js';
import { ConnectionLost, type Replicas } from '../support/processes.js';
import { World } from '../support/world.js';
import type { Chance } from './chance.js';
import { Chronicle } from './chronicle.js';
import { Detours } from './detours.js';
import type { PlantedFault } from './faults.js';
import { Gate } from './gate.js';
import { Ledger } from './ledger.js';
import type { Scene } from './move.js';
import { type GroupAt, Observer } from './observer.js';
import { Seals } from './seals.js';
import { Storage } from './storage.js';
import { WallClock } from './wall-clock.js';

const FIRST_NAMES = 'alice adam bob bea carol chris dora dan eve eli fay finn gus gil hal hope'.split(' ');
const LETTERS = 'abcdefgh';
export const MOST_SERVERS = LETTERS.length;
export const MOST_REPLICAS = 4;

const days = (count: number): string => String(count * 86_400);
/** Leaves are renewed, and owners missed, in the days of a story. */
const ENVIRONMENT = {
  COVEY_UPDATE_INTERVAL: days(2),
  COVEY_UPDATE_DEADLINE: days(4),
  COVEY_TAKEOVER_TIME: days(5),
};

/** A little less than earlier Group Keys are kept. */
const KEPT_MS = 50 * 60_000;

/** What a server said to somebody who asked; nothing is known when it died over it. */
export type Said<T> =
  | { readonly kind: 'yes'; readonly answer: T }
  | { readonly kind: 'no'; readonly why: string }
  | { readonly kind: 'died' };

/** A simulated world: servers with two users each, a network and clocks that can be troubled, and a ledger of it all. */
export class Stage implements AsyncDisposable {
  readonly ledger = new Ledger();
  readonly chronicle = new Chronicle();
  readonly seals = new Seals();
  readonly storage = new Storage();
  readonly detours = new Detours();
  readonly hosts: readonly string[];
  people: readonly Person[] = [];
  private world!: World;
  private readonly observers = new Map<string, Observer>();
  private readonly clocks = new Map<string, WallClock>();
  private readonly gate = new Gate({
    blocked: (processes) => this.observer(this.hosts[0]!).blocked(processes),
    end: (process) => this.observer(this.hosts[0]!).end(process),
  });
  /** Since when links are cut, by their name. */
  private readonly cuts = new Map<string, number>();
  private readonly deaths = new Map<string, number>();
  private readonly keyOrders = new Map<string, ReadonlyMap<string, MessageOrder>>();
  private readonly backups = new Map<string, ReadonlyMap<string, GroupAt>>();
  private exchanges = 0;

  private constructor(
    servers: number,
    private readonly fault: PlantedFault | undefined,
    private readonly replicas: Replicas | undefined,
  ) {
    this.hosts = Array.from(LETTERS.slice(0, servers), (letter) => `${letter}.test`);
  }

  static async open(servers: number, fault?: PlantedFault, replicas?: Replicas): Promise<Stage> {
    const stage = new Stage(servers, fault, replicas);
    try {
      fault?.begin?.();
      await stage.build();
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  private async build(): Promise<void> {
    this.world = await World.with(Object.fromEntries(this.hosts.map((name) => [name, ENVIRONMENT])), {
      clockOf: (host, world) => {
        const clock = new WallClock(world);
        this.clocks.set(host, clock);
        return clock;
      },
      replicas: this.replicas,
      booted: (server) => {
        this.gate.guard(server);
        this.seals.watch(server);
        this.detours.watch(server);
        this.fault?.plant?.(server);
      },
    });
    for (const name of this.hosts) this.observers.set(name, await Observer.of(this.world.server(name)));
    const names = this.hosts.flatMap((name, at) => [
      `${FIRST_NAMES[2 * at]}@${name}`,
      `${FIRST_NAMES[2 * at + 1]}@${name}`,
    ]);
    this.people = await this.world.users(...names);
  }

  get network() {
    return this.world.network;
  }

  get minutes(): number {
    return this.world.clock.now().getTime() / 60_000;
  }

  server = (host: string) => this.world.server(host);
  isAlive = (host: string): boolean => this.server(host).isAlive;
  /** Whether all its processes run. */
  isWhole = (host: string): boolean => this.server(host).isWhole;
  observer = (host: string): Observer => this.observers.get(host)!;
  person = (address: string): Person => this.people.find((one) => one.address === address)!;
  clock = (host: string): WallClock => this.clocks.get(host)!;

  /** The world that the next move is drawn from. */
  async scene(step: number): Promise<Scene> {
    const groups: GroupAt[] = [];
    for (const host of this.hosts.filter(this.isAlive)) groups.push(...(await this.observer(host).groups()));
    return { stage: this, step, groups };
  }

  /** Asks a server, and notes it when the server fails inside. */
  async ask<T>(person: string, work: (who: Person) => Promise<T>): Promise<Said<T>> {
    const host = hostOf(this.person(person).address);
    if (!this.isAlive(host)) return { kind: 'no', why: `${host} is down` };
    try {
      const answer = await work(this.person(person));
      return this.isAlive(host) ? { kind: 'yes', answer } : { kind: 'died' };
    } catch (error) {
      if (!this.isAlive(host) || error instanceof ConnectionLost) return { kind: 'died' };
      if (!(error instanceof Refusal)) throw error;
      if (error.answer.status === 500) this.ledger.surprises.push(`${host} answered ${JSON.stringify(error.answer)}`);
      return { kind: 'no', why: error.message };
    }
  }

  /** Works go on at the same time, statement by statement. */
  race(works: readonly (() => Promise<void>)[], chance: Chance): Promise<void> {
    return this.gate.race(works, chance);
  }

  async work(host: string): Promise<void> {
    await this.unsurprised(() => this.server(host).drain());
  }

  async settle(): Promise<void> {
    await this.unsurprised(() => this.world.settle());
  }

  async pass(minutes: number): Promise<void> {
    await this.unsurprised(() => this.world.pass(minutes * 60_000));
  }

  /** Time goes by and nobody does anything. */
  jump(minutes: number): void {
    this.world.clock.advance(minutes * 60_000);
  }

  link(from: string, to: string): Link {
    return this.world.wire(from, to);
  }

  cut(from: string, to: string): void {
    this.link(from, to).cut();
    this.cuts.set(`${from} ${to}`, this.cuts.get(`${from} ${to}`) ?? this.minutes);
  }

  mend(from: string, to: string): void {
    this.link(from, to).mend();
    this.cuts.delete(`${from} ${to}`);
  }

  /** The links that are cut. */
  get broken(): { from: string; to: string }[] {
    return [...this.cuts.keys()].map((name) => ({ from: name.split(' ')[0]!, to: name.split(' ')[1]! }));
  }

  async kill(host: string): Promise<void> {
    await this.server(host).killOne();
  }

  async restart(host: string): Promise<void> {
    await this.server(host).revive();
    this.deaths.delete(host);
  }

  /** Copies the database of a server. */
  async backUp(host: string): Promise<void> {
    await this.observer(host).backUp();
    this.ledger.mark(host);
    this.storage.mark(host);
    const groups = await this.observer(host).groups();
    this.backups.set(host, new Map(groups.map((group) => [group.mlsGroupId, group])));
  }

  /** Which servers' databases were copied. */
  get backedUp(): string[] {
    return [...this.backups.keys()];
  }

  /** As the copy knows that group. */
  copied = (host: string, mlsGroupId: string): GroupAt | undefined => this.backups.get(host)?.get(mlsGroupId);

  /** The machine is lost, and one with the copy stands in. */
  async restoreBackup(host: string): Promise<void> {
    await this.server(host).restoreBackup();
    this.ledger.forgetSince(host);
    this.storage.goBack(host);
    this.keyOrders.delete(host);
    this.backups.delete(host);
  }

  /** For how long the oldest trouble has lasted, in minutes. */
  get troubledFor(): number {
    const since = [...this.cuts.values(), ...this.deaths.values()];
    return since.length === 0 ? 0 : this.minutes - Math.min(...since);
  }

  /** After each step: notes who died, what was seen, and what failed inside. */
  async note(): Promise<string[]> {
    const said: string[] = [];
    for (const host of this.hosts) {
      if (this.isAlive(host)) await this.look(host);
      if (!this.isWhole(host) && !this.deaths.has(host)) {
        this.deaths.set(host, this.minutes);
        said.push(this.isAlive(host) ? `a process of ${host} has died` : `${host} has died`);
        this.ledger.count('deaths');
      }
    }
    const news = this.network.exchanges.slice(this.exchanges);
    this.exchanges = this.network.exchanges.length;
    for (const { to, what, answer } of news) {
      if (answer?.status !== 500) continue;
      this.ledger.surprises.push(`${to} answered to ${what}: ${Buffer.from(answer.body).toString()}`);
    }
    return said;
  }

  private async look(host: string): Promise<void> {
    await this.chronicle.look(this.server(host), this.observer(host));
    const users = this.people.map(({ address }) => address);
    for (const old of await this.observer(host).oldAnswers(users)) {
      this.ledger.surprises.push(`a replica of ${host} gave an old answer, ${old}`);
    }
    const since = new Date(this.server(host).now.getTime() - KEPT_MS);
    for (const { group, epoch } of await this.observer(host).goneTooSoon(since)) {
      this.ledger.goneTooSoon.add(`${host} cannot open what was wrapped in epoch ${epoch} of ${group}, just before`);
    }
    const before = this.keyOrders.get(host);
    const now = await this.observer(host).keyOrders();
    this.keyOrders.set(host, now);
    for (const [place, order] of now) {
      const held = before?.get(place);
      if (held && supersedes(held, order)) this.ledger.wentBack.add(`${host} took an earlier file key for ${place}`);
    }
  }

  /** The network is whole, every server runs, every clock is right. */
  async heal(): Promise<void> {
    for (const from of this.hosts) {
      for (const to of this.hosts) this.link(from, to).calm().mend();
    }
    this.cuts.clear();
    for (const host of this.hosts) {
      this.clock(host).skewMs = 0;
      this.server(host).disarm();
      if (!this.isWhole(host)) await this.restart(host);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const observer of this.observers.values()) await observer[Symbol.asyncDispose]();
    await (this.world as World | undefined)?.[Symbol.asyncDispose]();
    this.fault?.end?.();
  }

  private async unsurprised(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.ledger.surprises.push(String(error));
    }
  }
}

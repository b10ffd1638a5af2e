import { type Host, host } from '../../src/kernel/address.js';
import { Fault } from '../../src/kernel/fault.js';
import { fromUtf8, utf8 } from '../../src/kernel/bytes.js';
import type { HttpAnswer } from '../../src/kernel/network.js';
import type { Discovery } from '../../src/ocm/discovery.js';
import type { PeerClient } from '../../src/ocm/peer.client.js';
import { CourierWorker } from '../../src/outbox/courier.worker.js';
import { DeliveriesService } from '../../src/outbox/deliveries.service.js';
import { DeliveryService } from '../../src/outbox/delivery.service.js';
import type { HighWater } from '../../src/platform/high-water.provider.js';
import { HeardWorker } from '../../src/outbox/heard.worker.js';
import { LaneRepository, LaneRow } from '../../src/outbox/lane.repository.js';
import type { NewLetter } from '../../src/outbox/letter.js';
import { LetterRepository, LetterRow } from '../../src/outbox/letter.repository.js';
import { Outbox } from '../../src/outbox/outbox.service.js';
import { PeerHealthRepository, PeerHealthRow } from '../../src/outbox/peer-health.repository.js';
import { PruneWorker } from '../../src/outbox/prune.worker.js';
import { RevivalService } from '../../src/outbox/revival.service.js';
import { configFrom } from '../../src/platform/config.js';
import { Log } from '../../src/platform/logger.service.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { Poller } from '../../src/platform/poller.service.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import type { Standing } from '../../src/trust/policy.js';
import type { Trust } from '../../src/trust/trust.service.js';
import { Vault } from '../../src/platform/vault.service.js';
import { TestClock } from '../support/clock.js';
import type { Lease } from '../support/database.js';
import { TestDice } from '../support/dice.js';

export const OUTBOX_ROWS = [PeerHealthRow, LaneRow, LetterRow];

/** What a peer was sent: `text` is the body, byte for byte. */
export interface Received {
  readonly peer: Host;
  readonly path: string;
  readonly text: string;
  readonly at: Date;
}

type Script = (received: Received) => HttpAnswer | Promise<HttpAnswer>;

export const answering = (status: number, body?: object, headers: Record<string, string> = {}): HttpAnswer => ({
  status,
  headers,
  body: body === undefined ? new Uint8Array() : utf8(JSON.stringify(body)),
});
export const silent: Script = () => {
  throw new Fault('peer.unreachable');
};

const federating: Discovery = {
  enabled: true,
  apiVersion: '1.5.0',
  endPoint: 'https://peer.test/ocm',
  resourceTypes: [{ name: 'file', shareTypes: ['user', 'federation'], protocols: { webdav: '/' } }],
  capabilities: ['notifications'],
  criteria: [],
};
export const notFederating: Discovery = { ...federating, resourceTypes: [] };

/** Peers that do what they are told. They take everything until then. */
export class ScriptedPeers {
  readonly received: Received[] = [];
  lookups = 0;
  private readonly scripts = new Map<string, Script>();
  private readonly documents = new Map<string, Discovery | 'silent'>();

  constructor(private readonly clock: TestClock) {}

  on(peer: string, script: Script): void {
    this.scripts.set(peer, script);
  }

  document(peer: string, document: Discovery | 'silent'): void {
    this.documents.set(peer, document);
  }

  /** The bodies that a peer received, as they were posted. */
  bodies(peer: string): unknown[] {
    return this.received.filter((one) => one.peer === peer).map(({ text }) => JSON.parse(text) as unknown);
  }

  get client(): PeerClient {
    const discovery = async (peer: Host) => {
      this.lookups++;
      const document = this.documents.get(peer) ?? federating;
      if (document === 'silent') throw new Fault('peer.discovery-failed');
      return document;
    };
    const post = async (peer: Host, path: string, body: Uint8Array) => {
      const received = { peer, path, text: fromUtf8(body), at: this.clock.now() };
      this.received.push(received);
      return (this.scripts.get(peer) ?? (() => answering(201)))(received);
    };
    return { discovery, post } as unknown as PeerClient;
  }
}

export class PostOffice {
  readonly clock = new TestClock();
  readonly peers = new ScriptedPeers(this.clock);
  readonly logged: string[] = [];
  readonly log;
  readonly metrics = new Metrics();
  readonly poller;
  readonly config;
  readonly vault: Vault;
  readonly outbox: Outbox;
  readonly heard: HeardWorker;
  readonly prune: PruneWorker;
  readonly deliveries: DeliveriesService;
  readonly delivery: DeliveryService;
  readonly courier: CourierWorker;
  private readonly lanes = new LaneRepository();
  private readonly health = new PeerHealthRepository();
  private readonly letters: LetterRepository;
  private readonly highWater = { next: () => Promise.resolve(1), raise: () => undefined } as unknown as HighWater;
  private couriers = 0;
  /** Peers that policy does not let take part. */
  readonly standings = new Map<string, Standing>();
  private readonly trust = {
    standing: async (peer: Host) => this.standings.get(peer) ?? { kind: 'allowed', reason: 'open' },
  } as unknown as Trust;

  private constructor(
    readonly db: TransactionService,
    env: Record<string, string>,
  ) {
    const dice = new TestDice('post office');
    this.config = configFrom({ COVEY_DOMAIN: 'here.test', ...env });
    this.log = new Log(this.config.logLevel, { write: (line: string) => void this.logged.push(line) });
    this.poller = new Poller(this.log, this.metrics);
    this.vault = new Vault({ keys: [new Uint8Array(32).fill(7)] }, dice);
    this.letters = new LetterRepository(this.vault);
    const { clock, config, poller, metrics, lanes, health, letters } = this;
    const revival = new RevivalService(db, health, lanes, letters, poller, clock, config);
    this.heard = new HeardWorker(revival, poller, clock);
    this.outbox = new Outbox(db, health, lanes, letters, this.heard, revival, poller, clock, dice);
    this.prune = new PruneWorker(db, letters, lanes, clock);
    this.deliveries = new DeliveriesService(db, health, lanes, letters, revival, clock, metrics);
    this.delivery = this.desk();
    this.courier = this.hire();
  }

  /** On the leased database; `env` is configuration. */
  static async open(lease: Pick<Lease, 'transactions'>, env: Record<string, string> = {}): Promise<PostOffice> {
    return new PostOffice(await lease.transactions(OUTBOX_ROWS), env);
  }

  /** One more courier, as another process would have it. */
  hire(client = this.peers.client): CourierWorker {
    const { clock, config, letters, metrics, log, trust } = this;
    return new CourierWorker(this.desk(), letters, this.highWater, client, trust, clock, config, metrics, log);
  }

  private desk(): DeliveryService {
    const { db, health, lanes, letters, heard, poller, clock, config } = this;
    const dice = new TestDice(`courier ${this.couriers++}`);
    return new DeliveryService(db, health, lanes, letters, heard, this.highWater, poller, clock, dice, config);
  }

  post(letter: Partial<Omit<NewLetter, 'to'>> & { to: string }): Promise<string> {
    return this.db.run((tx) => this.outbox.post(tx, letterOf(letter)));
  }

  /** Letters numbered from 1, in one lane unless told otherwise. */
  async postMany(to: string, count: number, lane = 'group'): Promise<void> {
    await this.db.run(async (tx) => {
      for (let number = 1; number <= count; number++) {
        await this.outbox.post(tx, letterOf({ to, lane, body: { lane, number } }));
      }
    });
  }

  /** Everybody works until nobody finds anything to do at this time. */
  async work(...couriers: CourierWorker[]): Promise<void> {
    const all = couriers.length > 0 ? couriers : [this.courier];
    const worked = async () => {
      const turns = await Promise.all([...all, this.heard].map((worker) => worker.turn()));
      return turns.includes(true);
    };
    while (await worked());
  }

  /** Works on as time passes, until the moment. */
  async workFor(hours: number, stepMinutes = 10): Promise<void> {
    for (let minutes = 0; minutes < hours * 60; minutes += stepMinutes) {
      await this.work();
      this.clock.advance(stepMinutes * 60_000);
    }
    await this.work();
  }

  /** The rows as they are stored. */
  rows<T = LetterRow>(table: 'outbox_letter' | 'outbox_lane' | 'outbox_peer', order: string): Promise<T[]> {
    return this.db.statement((tx) => tx.query(`SELECT * FROM ${table} ORDER BY ${order}`)) as Promise<T[]>;
  }

  /** How many transactions wait for a lock. */
  async waiting(): Promise<number> {
    const waits = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return (await this.db.statement((tx) => tx.query<unknown[]>(waits))).length;
  }

  async states(): Promise<string[]> {
    return (await this.rows('outbox_letter', 'peer, lane, number')).map(({ state }) => state);
  }

  async healthOf(peer: string) {
    const { peer: found } = await this.deliveries.of(host(peer));
    return found.health;
  }

  answer(to: string) {
    return this.db.run((tx) => this.outbox.takeAnswer(tx, to));
  }
}

const letterOf = (letter: Partial<Omit<NewLetter, 'to'>> & { to: string }): NewLetter => ({
  lane: 'group',
  endpoint: 'notifications',
  kind: 'MLS_COMMIT',
  subject: 'subject',
  body: { hello: 'world' },
  ...letter,
  to: host(letter.to),
});

/** A promise and what settles it: a peer that is slow for as long as the test likes. */
export function pause<T>(): { promise: Promise<T>; end: (value: T) => void } {
  let end!: (value: T) => void;
  const promise = new Promise<T>((resolve) => (end = resolve));
  return { promise, end };
}

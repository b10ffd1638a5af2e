import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Config } from '../platform/config.js';
import { Poller } from '../platform/poller.service.js';
import { HighWater } from '../platform/high-water.provider.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { LONGEST_ANSWER } from './answer.js';
import { type BackOff, jitterFrom, waitAfter } from './back-off.js';
import { HeardWorker } from './heard.worker.js';
import { LaneRepository } from './lane.repository.js';
import type { Letter, Outcome } from './letter.js';
import { LetterRepository } from './letter.repository.js';
import type { Reply, Ruling } from './parcel.js';
import { failed, lanesAllowed, type PeerHealth, setAside, well, withhold } from './peer-health.js';
import { PeerHealthRepository } from './peer-health.repository.js';

const BATCH = 20;
const BATCH_BYTES = 4 * 1024 * 1024;
/** A quarter of all couriers, so that four slow peers are needed to keep everybody waiting. */
const SHARE_OF_ONE_PEER = 4;
/** After so many failures in a row what single lanes learnt is void: the peer as a whole was away. */
const ABSENCE = 3;

/** A lane taken for a while, with its first letters. */
export interface Claim {
  readonly peer: Host;
  readonly lane: string;
  readonly owner: string;
  readonly claimedAt: Date;
  readonly until: Date;
  readonly health: PeerHealth;
  readonly letters: readonly Letter[];
  /** When one of them was not sent before: see `HighWater`. */
  readonly mark?: number;
}

/** One letter sent, and what it came to. */
export interface Try {
  readonly letter: Letter;
  readonly startedAt: Date;
  readonly at: Date;
  readonly reply: Reply;
  readonly ruling: Ruling;
}

/** The outbox as its couriers see it: take a lane, tell what became of its letters. Each is one transaction. */
@Injectable()
export class DeliveryService {
  private readonly backOff: BackOff;
  private readonly mostLanes: number;
  /** Longer than any exchange: a lookup and the letter itself. */
  private readonly leaseMs: number;

  constructor(
    private readonly transactions: TransactionService,
    private readonly peers: PeerHealthRepository,
    private readonly lanes: LaneRepository,
    private readonly letters: LetterRepository,
    private readonly heard: HeardWorker,
    private readonly highWater: HighWater,
    private readonly poller: Poller,
    private readonly clock: Clock,
    private readonly dice: Dice,
    config: Config,
  ) {
    this.backOff = { firstMs: config.deliveryFirstDelayMs, longestMs: config.deliveryLongestDelayMs };
    this.mostLanes = Math.ceil(config.deliveryLoops / SHARE_OF_ONE_PEER);
    this.leaseMs = 4 * config.peerTimeoutMs;
  }

  /** Takes a lane that is due, if there is one; while its peer is failing or set aside, no other courier gets one. */
  async claim(): Promise<Claim | undefined> {
    const owner = this.dice.uuid();
    const look = (tx: Tx) => this.peers.hasNext(tx, this.clock.now(), this.mostLanes);
    const claimed = await this.transactions.runIf(look, async (tx) => {
      const at = this.clock.now();
      const until = this.leaseFrom(at);
      for (const inVain: Host[] = []; ;) {
        const peer = await this.peers.next(tx, at, this.mostLanes, inVain);
        if (!peer) return undefined;
        const allowed = lanesAllowed(peer.health, at, this.mostLanes);
        const lane = await this.lanes.claim(tx, peer.host, { owner, at, until }, allowed);
        if (lane !== undefined) {
          const letters = await this.letters.head(tx, { peer: peer.host, lane }, BATCH, BATCH_BYTES);
          const claimed = { peer: peer.host, lane, owner, claimedAt: at, until, health: peer.health, letters };
          const isNew = letters.some(({ tries }) => tries === 0);
          return isNew ? { ...claimed, mark: await this.highWater.next(tx) } : claimed;
        }
        // Its free lanes are being written to; who does so gives a hint when done.
        inVain.push(peer.host);
      }
    });
    return claimed || undefined;
  }

  /** Whether the lease lasts for one more exchange. */
  lasts({ until }: Claim, at: Date): boolean {
    return until.getTime() - at.getTime() > this.leaseMs / 2;
  }

  /** Stores what became of letters and keeps the lane. `undefined`: another courier has it, and nothing was stored. */
  async keep(claim: Claim, tries: readonly Try[]): Promise<Claim | undefined> {
    const until = this.leaseFrom(this.clock.now());
    const held = await this.record(claim, tries, (tx) => this.lanes.renew(tx, claim, until));
    return held ? { ...claim, until } : undefined;
  }

  /**
   * Stores what became of letters and gives the lane back: at once, later or stopped, as the last ruling demands. False
   * when another courier has it; then nothing was stored.
   */
  leave(claim: Claim, tries: readonly Try[]): Promise<boolean> {
    const at = this.clock.now();
    return this.record(claim, tries, async (tx) => {
      const last = tries.at(-1);
      if (last?.ruling.kind === 'dead') return this.lanes.release(tx, claim, null, at);
      if (last?.ruling.kind === 'again') return this.lanes.release(tx, claim, this.laneDue(last), null);
      const waits = await this.letters.waits(tx, claim);
      return this.lanes.release(tx, claim, waits ? at : null, null);
    });
  }

  /** The peer does not speak of federation: all its lanes wait until its discovery document changes. */
  setAside(claim: Claim, tries: readonly Try[], reason: string, discoverySeen: string): Promise<boolean> {
    const at = this.clock.now();
    return this.record(claim, tries, async (tx) => {
      const health = (await this.peers.lock(tx, claim.peer)) ?? claim.health;
      await this.peers.save(tx, claim.peer, setAside(health, at, reason, discoverySeen));
      await this.lanes.release(tx, claim, at, null);
    });
  }

  /** Policy lets nothing go to the peer: all its lanes wait until it does. False when another courier has the lane. */
  withhold(claim: Claim, reason: string): Promise<boolean> {
    const at = this.clock.now();
    return this.record(claim, [], async (tx) => {
      const health = (await this.peers.lock(tx, claim.peer)) ?? claim.health;
      await this.peers.save(tx, claim.peer, withhold(health, at, reason));
      await this.lanes.release(tx, claim, at, null);
    });
  }

  /** For the start of a process that has the database to itself. */
  forgetClaims(): Promise<void> {
    return this.transactions.statement((tx) => this.lanes.releaseAll(tx));
  }

  private record(claim: Claim, tries: readonly Try[], then: (tx: Tx) => Promise<void>): Promise<boolean> {
    return this.transactions.run(async (tx) => {
      if (!(await this.lanes.holds(tx, claim, claim.owner))) return false;
      const outcomes = tries.map(outcomeOf);
      if (outcomes.length > 0) await this.letters.settle(tx, outcomes);
      await this.learn(tx, claim.peer, tries);
      this.wakeTakers(tx, tries);
      await then(tx);
      return true;
    });
  }

  /** What the tries tell about the peer: that it is there, and after that, whether it failed. */
  private async learn(tx: Tx, peer: Host, tries: readonly Try[]): Promise<void> {
    const answered = tries.findLast(({ ruling, reply }) => reply.kind === 'answer' && isWell(ruling));
    const failures = answered ? await this.peers.recover(tx, peer, answered.at) : 0;
    const last = tries.at(-1);
    if (last && isOfThePeer(last.ruling)) {
      const health = (await this.peers.lock(tx, peer)) ?? well(last.at);
      await this.peers.save(tx, peer, failed(health, { ...last, ...last.ruling }, this.jitter(), this.backOff));
    } else if (failures > 0) {
      this.transactions.afterCommit(tx, () => this.heard.note(peer, failures >= ABSENCE));
    }
  }

  private wakeTakers(tx: Tx, tries: readonly Try[]): void {
    const takers = tries.flatMap(({ letter, ruling }) =>
      hasEnded(ruling) && letter.answerTo ? [letter.answerTo] : [],
    );
    for (const taker of new Set(takers)) this.transactions.afterCommit(tx, () => this.poller.wake(taker));
  }

  /** Silence tells nothing about this lane; it goes to the end of the peer's queue, which itself waits. */
  private laneDue({ letter, at, ruling }: Try): Date {
    if (ruling.kind !== 'again' || ruling.blame === 'peer') return at;
    const wait = Math.max(waitAfter(letter.tries + 1, this.jitter(), this.backOff), ruling.retryAfterMs);
    return new Date(at.getTime() + wait);
  }

  private jitter(): number {
    return jitterFrom(this.dice.bytes(4));
  }

  private leaseFrom(at: Date): Date {
    return new Date(at.getTime() + this.leaseMs);
  }
}

const hasEnded = ({ kind }: Ruling): boolean => kind !== 'again' && kind !== 'unsupported';

const isWell = (ruling: Ruling): boolean =>
  ruling.kind === 'delivered' || ruling.kind === 'refused' || (ruling.kind === 'again' && ruling.blame === 'letter');

const isOfThePeer = (ruling: Ruling): ruling is Extract<Ruling, { kind: 'again' | 'dead' }> =>
  (ruling.kind === 'again' || ruling.kind === 'dead') && ruling.blame !== 'letter';

function outcomeOf({ letter, at, reply, ruling }: Try): Outcome {
  const state = hasEnded(ruling) ? (ruling.kind as Outcome['state']) : 'waiting';
  const answer = reply.kind === 'answer' ? reply.answer : undefined;
  const wanted = state !== 'waiting' && (state !== 'delivered' || letter.answerTo !== undefined);
  return {
    letterId: letter.id,
    state,
    at,
    ...(answer ? { status: answer.status } : {}),
    ...('reason' in ruling ? { reason: ruling.reason } : {}),
    ...(answer && wanted && answer.body.length > 0 ? { answer: answer.body.subarray(0, LONGEST_ANSWER) } : {}),
  };
}

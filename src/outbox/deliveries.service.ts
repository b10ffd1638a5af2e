import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { Metrics } from '../platform/metrics.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { LaneRepository, type LaneState } from './lane.repository.js';
import type { LaneHead, LetterCount, LetterFacts } from './letter.js';
import { LetterRepository } from './letter.repository.js';
import { type Peer, PeerHealthRepository } from './peer-health.repository.js';
import { RevivalService } from './revival.service.js';

export interface PeerDeliveries {
  readonly peer: Peer;
  readonly counts: readonly LetterCount[];
}

export interface LaneDeliveries extends LaneHead {
  readonly state: LaneState;
}

/** What people want to know of the outbox, and what they may tell it. */
@Injectable()
export class DeliveriesService {
  constructor(
    private readonly transactions: TransactionService,
    private readonly peers: PeerHealthRepository,
    private readonly lanes: LaneRepository,
    private readonly letters: LetterRepository,
    private readonly revival: RevivalService,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {}

  all(): Promise<PeerDeliveries[]> {
    return this.transactions.run(async (tx) => {
      const counts = await this.letters.counts(tx);
      const peers = await this.peers.all(tx);
      return peers.map((peer) => ({ peer, counts: counts.filter((count) => count.peer === peer.host) }));
    });
  }

  /** Throws `not-found` for a peer that was never written to. */
  of(host: Host): Promise<PeerDeliveries & { lanes: LaneDeliveries[]; trouble: LetterFacts[] }> {
    return this.transactions.run(async (tx) => {
      const peer = await this.peers.find(tx, host);
      if (!peer) throw new Fault('not-found');
      const counts = (await this.letters.counts(tx)).filter((count) => count.peer === host);
      const states = new Map((await this.lanes.of(tx, host)).map((state) => [state.lane, state]));
      const heads = await this.letters.heads(tx, host);
      const lanes = heads.flatMap((head) => {
        const state = states.get(head.lane);
        return state ? [{ ...head, state }] : [];
      });
      return { peer, counts, lanes, trouble: await this.letters.trouble(tx, host) };
    });
  }

  /** Throws `not-found`. */
  async letter(id: string): Promise<LetterFacts> {
    const letter = await this.transactions.statement((tx) => this.letters.find(tx, id));
    if (!letter) throw new Fault('not-found');
    return letter;
  }

  /** Throws `not-found` or `letter.settled`. */
  tryLetterAgain(id: string): Promise<void> {
    return this.transactions.run((tx) => this.revival.letter(tx, id));
  }

  /** One lane of a peer, or all of them. Returns how many. Throws `not-found`. */
  tryAgain(peer: Host, lane?: string): Promise<number> {
    return this.transactions.run((tx) => this.revival.tryAgain(tx, peer, lane));
  }

  /** Depth and age of the outbox, for whoever reads the metrics now. Dead letters count: they are still to be delivered. */
  async measure(): Promise<void> {
    const counts = await this.transactions.statement((tx) => this.letters.counts(tx));
    const undelivered = counts.filter(({ state }) => state !== 'refused');
    const at = this.clock.now().getTime();
    this.metrics.outbox(
      [...new Set(undelivered.map(({ peer }) => peer))].map((peer) => {
        const of = undelivered.filter((count) => count.peer === peer);
        return {
          peer,
          letters: of.reduce((sum, { letters }) => sum + letters, 0),
          oldestSeconds: Math.max(...of.map(({ oldest }) => (at - oldest.getTime()) / 1000)),
        };
      }),
    );
  }
}

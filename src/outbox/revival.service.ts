import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { Config } from '../platform/config.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { LaneRepository } from './lane.repository.js';
import { LetterRepository } from './letter.repository.js';
import { heard, well } from './peer-health.js';
import { PeerHealthRepository } from './peer-health.repository.js';

export const COURIER = 'outbox.courier';

/** Lets go what stands still: because the peer was heard from, or because somebody says so. */
@Injectable()
export class RevivalService {
  constructor(
    private readonly transactions: TransactionService,
    private readonly peers: PeerHealthRepository,
    private readonly lanes: LaneRepository,
    private readonly letters: LetterRepository,
    private readonly poller: Poller,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {}

  /**
   * The peer is there: its back-off is over, and what died while it was away goes out again. Nothing is waited for:
   * false when a lane was being written to and has to be looked at again.
   */
  heard(peer: Host, wasAway: boolean): Promise<boolean> {
    return this.transactions.run(async (tx) => {
      const at = this.clock.now();
      const before = await this.peers.lock(tx, peer);
      if (!before) return true;
      const after = heard(before, at);
      if (after !== before) await this.peers.save(tx, peer, after);
      const back = wasAway || before.state === 'failing';
      const dead = await this.letters.revivable(tx, peer, new Date(at.getTime() - this.config.deliveryLongestDelayMs));
      if (!back && dead.length === 0) return true;
      if (back) await this.lanes.hurry(tx, peer, at);
      const locked = dead.length > 0 ? await this.lanes.lock(tx, peer, undefined, true) : [];
      const revived = dead.filter((lane) => locked.includes(lane));
      await this.letters.revive(tx, peer, revived, false);
      await this.lanes.restart(tx, peer, revived, at);
      this.hint(tx);
      return revived.length === dead.length;
    });
  }

  /** Throws `not-found`, or `letter.settled` when there is nothing left to try. */
  async letter(tx: Tx, id: string): Promise<void> {
    const letter = await this.letters.find(tx, id);
    if (!letter) throw new Fault('not-found');
    const { state, peer, lane } = letter;
    if (state !== 'dead' && state !== 'waiting') throw new Fault('letter.settled', { letter: id, state });
    await this.tryAgain(tx, peer, lane);
  }

  /** One lane of a peer, or all of them. Returns how many. Throws `not-found`. */
  async tryAgain(tx: Tx, peer: Host, lane?: string): Promise<number> {
    const at = this.clock.now();
    const locked = await this.lanes.lock(tx, peer, lane);
    const health = await this.peers.lock(tx, peer);
    if (!health || (lane !== undefined && locked.length === 0)) throw new Fault('not-found');
    await this.letters.revive(tx, peer, locked, true);
    await this.lanes.restart(tx, peer, locked, at);
    if (health.state !== 'healthy') await this.peers.save(tx, peer, well(at));
    this.hint(tx);
    return locked.length;
  }

  private hint(tx: Tx): void {
    this.transactions.afterCommit(tx, () => this.poller.wake(COURIER));
  }
}

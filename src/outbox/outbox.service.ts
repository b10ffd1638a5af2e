import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { HeardWorker } from './heard.worker.js';
import { LaneRepository } from './lane.repository.js';
import type { TakenAnswer, NewLetter } from './letter.js';
import { LetterRepository } from './letter.repository.js';
import { PeerHealthRepository } from './peer-health.repository.js';
import { COURIER, RevivalService } from './revival.service.js';

export type { TakenAnswer, NewLetter } from './letter.js';

/** The only way to tell a peer something: a letter in the transaction that justifies it. */
@Injectable()
export class Outbox {
  constructor(
    private readonly transactions: TransactionService,
    private readonly peers: PeerHealthRepository,
    private readonly lanes: LaneRepository,
    private readonly letters: LetterRepository,
    private readonly heard: HeardWorker,
    private readonly revival: RevivalService,
    private readonly poller: Poller,
    private readonly clock: Clock,
    private readonly dice: Dice,
  ) {}

  /**
   * Leaves with the transaction, or not at all. Letters of one lane arrive in the order in which they were posted; the
   * lane is locked until the transaction ends, so write to several lanes in the same order everywhere. Returns the id of
   * the letter.
   */
  async post(tx: Tx, letter: NewLetter): Promise<string> {
    const at = this.clock.now();
    const id = this.dice.uuid();
    const number = await this.lanes.extend(tx, { peer: letter.to, lane: letter.lane }, at);
    if (number === 1) await this.peers.know(tx, letter.to, at);
    await this.letters.add(tx, id, number, letter, at);
    this.transactions.afterCommit(tx, () => this.poller.wake(COURIER));
    return id;
  }

  /**
   * Takes back letters about something, to whomever they were posted or to one peer, that were not delivered yet. One that
   * is on its way at this moment may arrive all the same, and before what is posted to its lane after this; its answer is
   * then told to nobody.
   */
  async withdraw(tx: Tx, which: Pick<NewLetter, 'lane' | 'kind' | 'subject'> & { readonly to?: Host }): Promise<void> {
    for (const peer of which.to ? [which.to] : await this.letters.peersWaitingFor(tx, which)) {
      await this.lanes.lock(tx, peer, which.lane);
      if (await this.letters.withdraw(tx, peer, which)) {
        await this.lanes.restart(tx, peer, [which.lane], this.clock.now());
      }
    }
  }

  /** Whether a letter with this `answerTo` ended, and nobody took that yet. */
  hasAnswer(tx: Tx, answerTo: string): Promise<boolean> {
    return this.letters.hasAnswer(tx, answerTo);
  }

  /**
   * How a letter with this `answerTo` ended, the one that ended first, each taken once: it is taken when `tx` commits.
   * After a dead letter was tried again it may end a second time.
   */
  takeAnswer(tx: Tx, answerTo: string): Promise<TakenAnswer | undefined> {
    return this.letters.takeAnswer(tx, answerTo, this.clock.now());
  }

  /** The peer spoke to us, and proved who it is. May be called at any time and as often as it speaks. */
  heardFrom(peer: Host): void {
    this.heard.note(peer);
  }

  /** The letter, and with it the lane that waits for it. Throws `not-found` or `letter.settled`. */
  tryAgain(tx: Tx, letterId: string): Promise<void> {
    return this.revival.letter(tx, letterId);
  }
}

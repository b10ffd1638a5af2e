import { Injectable } from '@nestjs/common';
import { Poller, type Turn } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { EventRepository } from './event.repository.js';
import { PLACING } from './recorder.service.js';
import { StreamsWorker } from './streams.worker.js';

/** The worker that sends webhooks. */
export const SENDING = 'feed.sending';

/** So many rows are held and written at once. */
const AT_ONCE = 500;

/**
 * Gives what was committed its place in the feed, on one server process at a time. A number from a sequence alone would be
 * no cursor: of two writers the one with the lower number may commit last, and readers would have passed it. See decision 39.
 */
@Injectable()
export class PlacingWorker implements Turn {
  readonly name = PLACING;

  constructor(
    private readonly db: TransactionService,
    private readonly events: EventRepository,
    private readonly streams: StreamsWorker,
    private readonly poller: Poller,
  ) {}

  async turn(): Promise<boolean> {
    const look = (tx: Tx) => this.events.waits(tx);
    const placed = await this.db.runIf(look, async (tx) => {
      const ends = await this.events.lockEnds(tx);
      return this.events.place(tx, ends.head, AT_ONCE);
    });
    if (!placed) return false;
    const { head, count } = placed;
    if (count > 0) {
      this.streams.moved(head.position);
      this.poller.wake(SENDING);
    }
    return count === AT_ONCE;
  }
}

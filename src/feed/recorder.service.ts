import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import type { FeedEvent } from './event.js';
import { EventRepository } from './event.repository.js';

/** The worker that gives events their positions. */
export const PLACING = 'feed.placing';

/** For whoever changes something that the feed tells of. */
@Injectable()
export class FeedRecorder {
  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly events: EventRepository,
    private readonly poller: Poller,
  ) {}

  /** In the transaction of what they tell of, so that there is neither without the other. */
  async record(tx: Tx, ...events: readonly FeedEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.events.add(tx, events, this.clock.now());
    this.db.afterCommit(tx, () => this.poller.wake(PLACING));
  }
}

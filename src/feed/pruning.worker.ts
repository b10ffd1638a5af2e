import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Config } from '../platform/config.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { EventRepository } from './event.repository.js';

const AT_ONCE = 1000;

/** Forgets events that are older than `COVEY_FEED_AGE`, whoever has not read them. */
@Injectable()
export class PruningWorker implements Turn {
  readonly name = 'feed.pruning';

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly events: EventRepository,
  ) {}

  turn(): Promise<boolean> {
    const before = new Date(this.clock.now().getTime() - this.config.feedAgeMs);
    const look = (tx: Tx) => this.events.isOld(tx, before);
    return this.db.runIf(look, async (tx) => {
      const ends = await this.events.lockEnds(tx);
      return (await this.events.prune(tx, ends, before, AT_ONCE)) === AT_ONCE;
    });
  }
}

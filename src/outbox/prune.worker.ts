import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { LaneRepository } from './lane.repository.js';
import { LetterRepository } from './letter.repository.js';

const DAY_MS = 86_400_000;
const DELIVERED_KEPT_DAYS = 3;
/** Refusals are there for people to see, and so are answers that nobody took. */
const REFUSED_KEPT_DAYS = 30;
const AT_ONCE = 500;

/** Forgets letters that came to their end, and lanes that nobody uses any more. */
@Injectable()
export class PruneWorker implements Turn {
  readonly name = 'outbox.prune';

  constructor(
    private readonly transactions: TransactionService,
    private readonly letters: LetterRepository,
    private readonly lanes: LaneRepository,
    private readonly clock: Clock,
  ) {}

  async turn(): Promise<boolean> {
    const daysAgo = (days: number) => new Date(this.clock.now().getTime() - days * DAY_MS);
    const letters = await this.transactions.statement((tx) =>
      this.letters.prune(tx, daysAgo(DELIVERED_KEPT_DAYS), daysAgo(REFUSED_KEPT_DAYS), AT_ONCE),
    );
    const lanes = await this.transactions.statement((tx) => this.lanes.prune(tx, AT_ONCE));
    return letters === AT_ONCE || lanes === AT_ONCE;
  }
}

import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { EndingService } from './ending.service.js';
import { ReceivedShareRepository } from './received-share.repository.js';
import { ShareRepository } from './share.repository.js';

/** Ends shares whose time is over, and forgets those whose group never came. */
@Injectable()
export class ExpiryWorker implements Turn {
  readonly name = 'shares.expiry';

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly shares: ShareRepository,
    private readonly received: ReceivedShareRepository,
    private readonly ending: EndingService,
  ) {}

  async turn(): Promise<boolean> {
    const at = this.clock.now();
    const hasExpired = (tx: Tx) => this.shares.hasExpired(tx, at);
    const ended = await this.db.runIf(hasExpired, async (tx) => {
      const share = await this.shares.expired(tx, at);
      if (share) await this.ending.end(tx, share, 'expired');
      return share !== undefined;
    });
    if (ended) return true;
    const isUntidy = (tx: Tx) => this.received.isUntidy(tx, at);
    await this.db.runIf(isUntidy, (tx) => this.received.tidy(tx, at));
    return false;
  }
}

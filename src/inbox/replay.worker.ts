import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { isFault } from '../kernel/fault.js';
import { Log } from '../platform/logger.service.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { DispatchService } from './dispatch.service.js';
import { EarlyRepository } from './early.repository.js';

/** What did not come due in a day belongs to a history that is not ours. */
const KEPT_MS = 24 * 3_600_000;

/** Hands early mail in again once its group has come to its epoch. What was taken twice is a duplicate, so a crash harms nothing. */
@Injectable()
export class ReplayWorker implements Turn {
  readonly name = 'inbox.replay';

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly early: EarlyRepository,
    private readonly dispatcher: DispatchService,
    private readonly log: Log,
  ) {}

  async turn(): Promise<boolean> {
    const mail = await this.db.run(async (tx) => {
      await this.early.forgetOlder(tx, new Date(this.clock.now().getTime() - KEPT_MS));
      return this.early.due(tx);
    });
    if (!mail) return false;
    const { digest, mlsGroupId, sender } = mail;
    try {
      await this.dispatcher.dispatch(sender, mail.body);
    } catch (error) {
      if (!isFault(error) || error.code === 'database.unavailable') throw error;
      const facts = { event: 'early.refused', group: mlsGroupId, peer: sender, code: error.code, err: error };
      this.log.warn(facts, 'mail that was kept for this epoch is refused');
    }
    await this.db.run((tx) => this.early.forget(tx, digest));
    return true;
  }
}

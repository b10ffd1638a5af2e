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

/** Mail that cannot be taken now is left alone for so long; what is due behind it does not wait for it. */
const AGAIN_MS = 60_000;

/** Hands early mail in again once its group has come to its epoch. What was taken twice is a duplicate, so a crash harms nothing. */
@Injectable()
export class ReplayWorker implements Turn {
  readonly name = 'inbox.replay';
  private readonly later = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly early: EarlyRepository,
    private readonly dispatcher: DispatchService,
    private readonly log: Log,
  ) {}

  async turn(): Promise<boolean> {
    const now = this.clock.now().getTime();
    for (const [digest, at] of this.later) if (at <= now) this.later.delete(digest);
    const { mail, forgotten } = await this.db.run(async (tx) => ({
      forgotten: await this.early.forgetOlder(tx, new Date(now - KEPT_MS)),
      mail: await this.early.due(tx, [...this.later.keys()]),
    }));
    for (const group of forgotten) {
      this.log.warn({ event: 'early.forgotten', group }, 'mail of epochs that were not reached in a day is forgotten');
    }
    if (!mail) return false;
    const { digest, mlsGroupId, sender } = mail;
    try {
      await this.dispatcher.dispatch(sender, mail.body);
    } catch (error) {
      // It was taken with 202, so nobody will send it again: only a refusal for good lets it go.
      const again = !isFault(error) || error.retry;
      if (again) this.later.set(digest, now + AGAIN_MS);
      if (!isFault(error) || error.code === 'database.unavailable') throw error;
      if (again) return true;
      const facts = { event: 'early.refused', group: mlsGroupId, peer: sender, code: error.code, err: error };
      this.log.warn(facts, 'mail that was kept for this epoch is refused');
    }
    await this.db.run((tx) => this.early.forget(tx, digest));
    return true;
  }
}

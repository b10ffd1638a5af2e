import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { isFault } from '../kernel/fault.js';
import { Log } from '../platform/logger.service.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { DispatchService } from './dispatch.service.js';
import { EarlyRepository } from './early.repository.js';

/** Commits that did not come due in a day can be fetched (D-11). */
const KEPT_MS = 24 * 3_600_000;
/** A Welcome comes but once, and is of use as long as the KeyPackage that it is for. */
const WELCOMES_KEPT_MS = 30 * KEPT_MS;

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
    const mail = await this.db.statement((tx) => this.early.due(tx, [...this.later.keys()]));
    if (!mail) return this.forget(now);
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
    await this.db.statement((tx) => this.early.forget(tx, digest));
    return true;
  }

  /** Only what is not due now. */
  private async forget(now: number): Promise<false> {
    const old = { before: new Date(now - KEPT_MS), welcomes: new Date(now - WELCOMES_KEPT_MS) };
    for (const group of await this.db.statement((tx) => this.early.forgetOlder(tx, old))) {
      this.log.warn({ event: 'early.forgotten', group }, 'mail of epochs that were not reached is forgotten');
    }
    return false;
  }
}

import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { ApprovalRepository } from './approval.repository.js';

/** How long it can be read who decided what; what must not be forgotten stands in the audit log. */
const REMEMBERED_MS = 90 * 86_400_000;

/** Ends what nobody proposed anew, and forgets what ended long ago. */
@Injectable()
export class ApprovalsWorker implements Turn {
  readonly name = 'groups.approvals';

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly approvals: ApprovalRepository,
  ) {}

  async turn(): Promise<boolean> {
    const now = this.clock.now();
    await this.db.runIf(
      (tx) => this.approvals.hasLapsed(tx, now),
      (tx) => this.approvals.lapse(tx, now),
    );
    await this.db.statement((tx) => this.approvals.forget(tx, new Date(now.getTime() - REMEMBERED_MS)));
    return false;
  }
}

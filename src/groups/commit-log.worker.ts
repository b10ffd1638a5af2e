import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Config } from '../platform/config.js';
import { Metrics } from '../platform/metrics.service.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { CommitLogRepository } from './commit-log.repository.js';

/** Of a group that is followed here: however slowly it moves, who was away for long can catch up. */
export const LEAST_EPOCHS = 100;
const AT_ONCE = 500;

/** Keeps the commit log as long as a server that missed Commits may ask for them (D-11), and no longer. */
@Injectable()
export class CommitLogWorker implements Turn {
  readonly name = 'groups.commit-log';

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly commitLog: CommitLogRepository,
    private readonly metrics: Metrics,
  ) {}

  async turn(): Promise<boolean> {
    const before = new Date(this.clock.now().getTime() - this.config.commitsKeptMs);
    const old = { before, leastEpochs: LEAST_EPOCHS, most: AT_ONCE };
    const pruned = await this.db.statement((tx) => this.commitLog.prune(tx, old));
    this.metrics.commitLog({ ...(await this.db.statement((tx) => this.commitLog.size(tx))), pruned });
    return pruned === AT_ONCE;
  }
}

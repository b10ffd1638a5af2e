import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Idempotency } from './idempotency.repository.js';
import { Poller, type Turn } from './poller.service.js';
import { RateLimits } from './rate-limits.repository.js';
import { TransactionService } from './transaction.service.js';

const EVERY_MS = 600_000;

/** Forgets what need not be remembered any longer. */
@Injectable()
export class UpkeepWorker implements Turn, OnModuleInit {
  readonly name = 'platform.upkeep';

  constructor(
    private readonly clock: Clock,
    private readonly transactions: TransactionService,
    private readonly idempotency: Idempotency,
    private readonly limits: RateLimits,
    private readonly poller: Poller,
  ) {}

  onModuleInit(): void {
    this.poller.add(this, { everyMs: EVERY_MS });
  }

  async turn(): Promise<boolean> {
    await this.transactions.statement((tx) => this.idempotency.forget(tx));
    await this.transactions.statement((tx) => this.limits.forget(tx, this.clock.now()));
    return false;
  }
}

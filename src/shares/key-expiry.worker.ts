import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { ApplicationsService } from '../mls/applications.service.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { WrappedKeyRepository } from './wrapped-key.repository.js';

/** A file key may come before its share; when that does not come in this time, nobody is to have it. */
const KEPT_MS = 40 * 86_400_000;

/** Forgets Group Keys whose time is over (OCM-MLS R-175), and wrapped keys that are of no share. */
@Injectable()
export class KeyExpiryWorker implements Turn {
  readonly name = 'shares.key-expiry';

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly applications: ApplicationsService,
    private readonly wrapped: WrappedKeyRepository,
  ) {}

  async turn(): Promise<boolean> {
    const now = this.clock.now();
    await this.db.statement((tx) => this.applications.forgetOldKeys(tx, now));
    await this.db.statement((tx) => this.wrapped.tidy(tx, new Date(now.getTime() - KEPT_MS)));
    return false;
  }
}

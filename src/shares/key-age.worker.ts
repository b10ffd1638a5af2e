import { Injectable } from '@nestjs/common';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { RotationWishes } from './rotation-wishes.service.js';

/** Wishes new keys for files whose keys are old. OCM-MLS R-193 */
@Injectable()
export class KeyAgeWorker implements Turn {
  readonly name = 'shares.key-age';

  constructor(
    private readonly db: TransactionService,
    private readonly wishes: RotationWishes,
  ) {}

  turn(): Promise<boolean> {
    return this.db.runIf(
      (tx) => this.wishes.haveAged(tx),
      async (tx) => (await this.wishes.aged(tx)) > 0,
    );
  }
}

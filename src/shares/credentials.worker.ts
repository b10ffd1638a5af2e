import { Injectable } from '@nestjs/common';
import { Outbox } from '../outbox/outbox.service.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { TokensService } from '../tokens/tokens.service.js';
import { CREDENTIAL_ANSWERS } from './credentials.service.js';

/** Lets an old credential die once the new one was delivered. OCM-MLS R-185 */
@Injectable()
export class CredentialsWorker implements Turn {
  readonly name = CREDENTIAL_ANSWERS;

  constructor(
    private readonly db: TransactionService,
    private readonly outbox: Outbox,
    private readonly tokens: TokensService,
  ) {}

  turn(): Promise<boolean> {
    return this.db.run(async (tx) => {
      const answer = await this.outbox.takeAnswer(tx, CREDENTIAL_ANSWERS);
      if (!answer) return false;
      await this.tokens.settle(tx, answer.subject, answer.outcome === 'delivered');
      return true;
    });
  }
}

import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Outbox, type TakenAnswer } from '../outbox/outbox.service.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { TokensService } from '../tokens/tokens.service.js';
import { NOTICE_ANSWERS } from './announcing.service.js';
import { accept, decline, isTold, type ShareServer, type Told, undelivered } from './share-server.js';
import { ShareServerRepository } from './share-server.repository.js';

/** Takes note of what became of the notices. */
@Injectable()
export class AnswersWorker implements Turn {
  readonly name = 'shares.answers';

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly outbox: Outbox,
    private readonly servers: ShareServerRepository,
    private readonly tokens: TokensService,
  ) {}

  turn(): Promise<boolean> {
    const look = (tx: Tx) => this.outbox.hasAnswer(tx, NOTICE_ANSWERS);
    return this.db.runIf(look, async (tx) => {
      const answer = await this.outbox.takeAnswer(tx, NOTICE_ANSWERS);
      if (!answer) return false;
      const row = await this.servers.lockByProvider(tx, answer.to, answer.subject);
      if (row && isTold(row)) await this.note(tx, row, answer);
      return true;
    });
  }

  private async note(tx: Tx, row: Told, { outcome, status }: TakenAnswer): Promise<void> {
    await this.servers.put(tx, next(row, outcome, status, this.clock.now()));
    if (outcome === 'delivered') await this.tokens.arrived(tx, row.shareId, row.server);
    // Who refused the share needs no secret for it.
    if (outcome === 'refused') await this.tokens.revoke(tx, row.providerId);
  }
}

function next(row: Told, outcome: TakenAnswer['outcome'], status: number | undefined, at: Date): ShareServer {
  switch (outcome) {
    case 'delivered':
      return accept(row, at);
    case 'refused':
      return decline(row, `refused with ${status ?? 'no status'}`, at);
    case 'dead':
      return row.state === 'announced' ? undelivered(row, 'not delivered') : row;
    default:
      return outcome satisfies never;
  }
}

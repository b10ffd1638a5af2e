import { Injectable } from '@nestjs/common';
import { ownCode } from '../outbox/answer.js';
import { Outbox } from '../outbox/outbox.service.js';
import type { Turn } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { PROPOSED } from './broadcast.js';
import { ChangeRepository } from './change.repository.js';
import { GroupRepository } from './group.repository.js';

/**
 * What the servers of the admins answer to proposals of members of this server. That an admin has declined it ends it; any
 * other refusal is of one epoch, and it is proposed anew in the next (D-13).
 */
@Injectable()
export class ProposedWorker implements Turn {
  readonly name = PROPOSED;

  constructor(
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly changes: ChangeRepository,
    private readonly outbox: Outbox,
  ) {}

  turn(): Promise<boolean> {
    const look = (tx: Tx) => this.outbox.hasAnswer(tx, PROPOSED);
    return this.db.runIf(look, async (tx) => {
      const answer = await this.outbox.takeAnswer(tx, PROPOSED);
      if (!answer) return false;
      if (answer.outcome !== 'refused' || ownCode(answer.body) !== 'proposal.declined') return true;
      const found = await this.changes.byId(tx, answer.subject);
      if (!found) return true;
      await this.groups.lock(tx, found.mlsGroupId);
      const change = (await this.changes.byId(tx, found.id))!;
      if (change.state === 'proposed') {
        await this.changes.save(tx, { ...change, state: 'refused', fault: 'change.declined' });
      }
      return true;
    });
  }
}

import { Injectable } from '@nestjs/common';
import { FollowerRepository } from '../groups/follower.repository.js';
import { Log } from '../platform/logger.service.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { KeySendingService } from './key-sending.service.js';

/**
 * Follows the groups: after each epoch, whatever its Commit did, and in a successor, the file keys of all that is shared
 * with the group go out under its new Group Key, once for as many epochs as passed. OCM-MLS
 */
@Injectable()
export class RewrapWorker implements Turn {
  readonly name = 'shares.rewrap';

  constructor(
    private readonly db: TransactionService,
    private readonly followers: FollowerRepository,
    private readonly keys: KeySendingService,
    private readonly log: Log,
  ) {}

  turn(): Promise<boolean> {
    return this.db.run(async (tx) => {
      const group = await this.followers.due(tx, this.name);
      if (!group) return false;
      // A lost group is sent nothing until it is back, and after a ReInit there is only its successor.
      if (group.state === 'active') {
        const keys = await this.keys.resend(tx, group);
        const facts = { event: 'keys.rewrapped', group: group.mlsGroupId, epoch: group.epoch, keys };
        if (keys > 0) this.log.info(facts, 'file keys go out under a new Group Key');
      }
      await this.followers.seen(tx, this.name, group);
      return true;
    });
  }
}

import { Injectable } from '@nestjs/common';
import { Following } from '../groups/following.service.js';
import { Log } from '../platform/logger.service.js';
import type { Turn } from '../platform/poller.service.js';
import { KeySendingService } from './key-sending.service.js';

/**
 * Follows the groups: after each epoch, whatever its Commit did, and in a successor, the file keys of all that is shared
 * with the group go out under its new Group Key, once for as many epochs as passed. OCM-MLS
 */
@Injectable()
export class RewrapWorker implements Turn {
  readonly name = 'shares.rewrap';

  constructor(
    private readonly following: Following,
    private readonly keys: KeySendingService,
    private readonly log: Log,
  ) {}

  turn(): Promise<boolean> {
    return this.following.turn(this.name, async (tx, group) => {
      // A lost group is sent nothing until it is back, and after a ReInit there is only its successor.
      if (group.state === 'active') {
        const keys = await this.keys.resend(tx, group);
        const facts = { event: 'keys.rewrapped', group: group.mlsGroupId, epoch: group.epoch, keys };
        if (keys > 0) this.log.info(facts, 'file keys go out under a new Group Key');
      }
      return true;
    });
  }
}

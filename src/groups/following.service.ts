import { Injectable } from '@nestjs/common';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { FollowerRepository } from './follower.repository.js';
import type { Group } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';

/** The turns of those that follow the groups. */
@Injectable()
export class Following {
  constructor(
    private readonly db: TransactionService,
    private readonly followers: FollowerRepository,
    private readonly groups: GroupRepository,
  ) {}

  /**
   * Shows `follower` one group that moved since it last looked, in one transaction. `act` returns whether it is done with
   * the group; otherwise the next turn shows it again. Returns whether there was one.
   */
  turn(follower: string, act: (tx: Tx, group: Locked<Group>) => Promise<boolean>): Promise<boolean> {
    const look = (tx: Tx) => this.followers.due(tx, follower, 'look');
    return this.db.runIf(look, async (tx) => {
      const group = await this.groups.lockAny(tx, await this.followers.due(tx, follower));
      if (!group) return false;
      if (await act(tx, group)) await this.followers.seen(tx, follower, group);
      return true;
    });
  }
}

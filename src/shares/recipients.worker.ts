import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Following } from '../groups/following.service.js';
import { type Group, isFollowed, memberServers } from '../groups/group.js';
import type { Locked } from '../groups/group.repository.js';
import { MemberRepository } from '../groups/member.repository.js';
import { Poller, type Turn } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { EndingService } from './ending.service.js';
import { ReceivedShareRepository } from './received-share.repository.js';
import { reconcile, type Roster } from './recipients.js';
import { NOTICES } from './sharing.service.js';
import { due } from './share-server.js';
import { ShareServerRepository } from './share-server.repository.js';
import { ShareRepository } from './share.repository.js';

/** Shares of one group that are looked at in one transaction. */
const BATCH = 50;

/**
 * Follows the groups: after each epoch the servers that know a share become those that have members. Nothing but the
 * Commit is needed for that, no notification of OCM (OCM-MLS R-200).
 */
@Injectable()
export class RecipientsWorker implements Turn {
  readonly name = 'shares.recipients';

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly following: Following,
    private readonly members: MemberRepository,
    private readonly shares: ShareRepository,
    private readonly servers: ShareServerRepository,
    private readonly received: ReceivedShareRepository,
    private readonly ending: EndingService,
    private readonly poller: Poller,
  ) {}

  turn(): Promise<boolean> {
    return this.following.turn(this.name, async (tx, group) => {
      this.db.afterCommit(tx, () => this.poller.wake(NOTICES));
      return this.settle(tx, group);
    });
  }

  /** Returns whether the group is settled; otherwise there is another batch. */
  private async settle(tx: Tx, group: Locked<Group>): Promise<boolean> {
    // Its successor has the shares.
    if (group.state === 'superseded') return true;
    const active = isFollowed(group);
    const members = active ? (await this.members.of(tx, group.mlsGroupId)).map(({ address }) => address) : [];
    const known = new Set(members);
    const roster: Roster = { active, servers: memberServers(members), has: (address) => known.has(address) };
    await this.received.release(tx, group.address, members);
    const gone = (await this.shares.openSenders(tx, group.address)).filter((sender) => !roster.has(sender));
    const unsettled = await this.shares.unsettled(tx, group.address, { servers: roster.servers, gone }, BATCH);
    for (const share of unsettled) {
      if (share.state !== 'open') continue;
      const told = await this.servers.lockAll(tx, share.shareId);
      const found = reconcile(share, roster, told);
      if (found.kind === 'end') {
        await this.ending.end(tx, share, found.reason);
        continue;
      }
      for (const row of found.lost) await this.ending.withdraw(tx, share, row);
      for (const server of found.tell) await this.servers.put(tx, due(share.shareId, server, this.clock.now()));
    }
    return unsettled.length === 0;
  }
}

import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { CommitLogRepository } from '../groups/commit-log.repository.js';
import { FollowerRepository } from '../groups/follower.repository.js';
import { Following } from '../groups/following.service.js';
import { type Group, isFollowed } from '../groups/group.js';
import { MemberRepository } from '../groups/member.repository.js';
import type { Epoch } from '../kernel/ids.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { Poller, type Turn } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { TokensService } from '../tokens/tokens.service.js';
import { EndingService } from './ending.service.js';
import { NOTICES } from './sharing.service.js';
import { due, isTold } from './share-server.js';
import { ShareServerRepository } from './share-server.repository.js';
import { ShareRepository } from './share.repository.js';

/** A backup that is older than that is none that a server is set up from. */
const BACKUPS_AGE_MS = 30 * 86_400_000;

/**
 * Follows the groups: a server that had to rejoin was perhaps set up from a backup (D-31), and then it has forgotten what
 * it was told since. So it is told once more of what was shared and of what ended in that time. When it is this server that
 * was set up from a backup it tells all others.
 */
@Injectable()
export class RetellingWorker implements Turn {
  readonly name = 'shares.retelling';

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly following: Following,
    private readonly followers: FollowerRepository,
    private readonly commitLog: CommitLogRepository,
    private readonly members: MemberRepository,
    private readonly shares: ShareRepository,
    private readonly servers: ShareServerRepository,
    private readonly ending: EndingService,
    private readonly tokens: TokensService,
    private readonly poller: Poller,
    private readonly log: Log,
  ) {}

  turn(): Promise<boolean> {
    return this.following.turn(this.name, async (tx, group) => {
      const from = await this.followers.seenAt(tx, this.name, group.mlsGroupId);
      if (from !== undefined && isFollowed(group)) {
        const { servers, since } = await this.forgetful(tx, group, from);
        for (const server of servers) if (server !== this.config.domain) await this.tell(tx, group, server, since);
      }
      return true;
    });
  }

  /**
   * Who may not know what was told since when: the servers that rejoined, or all, when we have forgotten it. Then what ended
   * for them may go on here.
   */
  private async forgetful(tx: Tx, { mlsGroupId }: Group, from: Epoch | 'forgotten') {
    if (from === 'forgotten') return { servers: await this.members.servers(tx, mlsGroupId), since: new Date(0) };
    const since = new Date(this.clock.now().getTime() - BACKUPS_AGE_MS);
    return { servers: await this.commitLog.rejoinedSince(tx, mlsGroupId, from), since };
  }

  /**
   * Whatever it still has of a share is ended, and the share announced anew, since its secret is known to nobody here
   * (D-25). The old secret is good until the new one has arrived.
   */
  private async tell(tx: Tx, { address, mlsGroupId }: Group, server: Host, since: Date): Promise<void> {
    const told = await this.servers.toldSince(tx, address, server, since);
    for (const { shareId } of told) {
      const share = await this.shares.lock(tx, shareId);
      const row = await this.servers.lock(tx, shareId, server);
      if (!share || !row) continue;
      if (row.state === 'ended') await this.ending.tell(tx, share, row);
      else if (share.state === 'open' && isTold(row)) {
        await this.ending.tell(tx, share, row);
        await this.tokens.letGo(tx, row.providerId);
        await this.servers.put(tx, due(shareId, server, this.clock.now()));
      }
    }
    this.db.afterCommit(tx, () => this.poller.wake(NOTICES));
    const facts = { event: 'shares.retold', group: mlsGroupId, peer: server, shares: told.length };
    this.log.info(facts, 'a server is told of shares once more');
  }
}

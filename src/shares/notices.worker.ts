import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { isFollowed } from '../groups/group.js';
import { GroupRepository } from '../groups/group.repository.js';
import { MemberRepository } from '../groups/member.repository.js';
import { Log } from '../platform/logger.service.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { AnnouncingService } from './announcing.service.js';
import { type Judgement, PreparingService } from './preparing.service.js';
import { NOTICES } from './sharing.service.js';
import type { OpenShare } from './share.js';
import { isUntold, postpone, setAside, type Untold } from './share-server.js';
import { ShareServerRepository } from './share-server.repository.js';
import { ShareRepository } from './share.repository.js';

/** How long a server may take to say what it accepts before somebody else asks it too. */
const LEASE_MS = 120_000;

/**
 * Tells member servers of shares, one share and server a turn: asks the server what it takes (OCM core section 5.1,
 * before the notice; OCM-MLS R-206, each server for itself) and tells protocol servers, then writes the notice in one transaction.
 */
@Injectable()
export class NoticesWorker implements Turn {
  readonly name = NOTICES;

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly shares: ShareRepository,
    private readonly servers: ShareServerRepository,
    private readonly preparing: PreparingService,
    private readonly announcing: AnnouncingService,
    private readonly log: Log,
  ) {}

  async turn(): Promise<boolean> {
    const at = this.clock.now();
    const row = await this.db.statement((tx) => this.servers.take(tx, at, new Date(at.getTime() + LEASE_MS)));
    if (!row) return false;
    const share = await this.db.statement((tx) => this.shares.byId(tx, row.shareId));
    if (share?.state === 'open') {
      const judgement = await this.preparing.prepare(row.server, share);
      await this.db.run((tx) => this.settle(tx, row, judgement));
    }
    return true;
  }

  /** Nothing is sent to a server that has lost its last member, or for a sender who has left, in the meantime. */
  private async settle(tx: Tx, { shareId, server }: Untold, judgement: Judgement): Promise<void> {
    const share = await this.shares.lock(tx, shareId);
    const row = await this.servers.lock(tx, shareId, server);
    if (share?.state !== 'open' || !row || !isUntold(row) || !(await this.stands(tx, share, server))) return;
    const at = this.clock.now();
    const judged = await this.preparing.judgeAgain(tx, judgement);
    if (judged.kind === 'send') return this.announcing.announce(tx, share, row, judged);
    const { kind, why } = judged;
    const next = kind === 'unsupported' ? setAside(row, why, at) : postpone(row, why, at);
    await this.servers.put(tx, next);
    this.log.warn({ event: `share.${kind}`, share: shareId, group: share.group, peer: server, why }, 'not announced');
  }

  private async stands(tx: Tx, share: OpenShare, server: Host): Promise<boolean> {
    const group = await this.groups.byAddress(tx, share.group);
    if (!group || !isFollowed(group)) return false;
    if (!(await this.members.isMember(tx, group.mlsGroupId, share.sender))) return false;
    return (await this.members.ofServer(tx, group.mlsGroupId, server)).length > 0;
  }
}

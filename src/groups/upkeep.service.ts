import { Injectable } from '@nestjs/common';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import type { MlsGroupId } from '../kernel/ids.js';
import { MlsService } from '../mls/mls.service.js';
import { StateLossService } from '../mls/state-loss.service.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { ApprovalQueue } from './approval-queue.service.js';
import { proposalTo, rejoinTo } from './broadcast.js';
import { GapRepository } from './gap.repository.js';
import { adminServers, type Group } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { GroupTurns } from './group-turn.service.js';
import { isStale, lookAgain, nextUpdate } from './leaf-updates.js';
import { type AgingLeaf, MemberRepository } from './member.repository.js';
import { ProposalsService } from './proposals.service.js';
import { RejoinRequestRepository } from './rejoin-request.repository.js';

/** Sees to it that leaves do not grow old. OCM-MLS section 7.5 */
@Injectable()
export class UpkeepService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly turns: GroupTurns,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly gaps: GapRepository,
    private readonly proposals: ProposalsService,
    private readonly approvals: ApprovalQueue,
    private readonly rejoins: RejoinRequestRepository,
    private readonly mls: MlsService,
    private readonly stateLoss: StateLossService,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  /** Does what is due in one group, and says whether there was one. A group that fails is looked at again later. */
  tendNext(): Promise<boolean> {
    return this.turns.take({
      next: (tx, how) => this.groups.withAgingLeaf(tx, this.clock.now(), how),
      work: (tx, group) => this.tend(tx, group),
      putOff: async (tx, { mlsGroupId, epoch }) => {
        const due = await this.members.due(tx, mlsGroupId, this.clock.now(), epoch);
        await this.later(tx, mlsGroupId, [...due, ...(await this.members.unscheduled(tx, mlsGroupId))]);
      },
    });
  }

  private async tend(tx: Tx, group: Locked<Group>): Promise<void> {
    const { mlsGroupId, epoch } = group;
    const unscheduled = await this.members.unscheduled(tx, mlsGroupId);
    const times = unscheduled.map((leaf) => ({ address: leaf.address, dueAt: this.dueAt(leaf) }));
    await this.members.schedule(tx, mlsGroupId, times);

    const due = await this.members.due(tx, mlsGroupId, this.clock.now(), epoch);
    const own = due.filter(({ address }) => this.isOwn(address)).map(({ address }) => address);
    const proposed = own.length > 0 ? await this.propose(tx, group, own) : [];
    const lacking = due.filter((leaf) => own.includes(leaf.address) && !proposed.includes(leaf.address));
    const asked = await this.askForLeaves(tx, group, lacking);
    if (adminServers(group).includes(this.config.domain)) await this.askToEvict(tx, group, due);
    await this.later(
      tx,
      mlsGroupId,
      due.filter(({ address }) => !proposed.includes(address) && !asked.includes(address)),
    );
  }

  /** To the home servers of all admins, this one among them. OCM-MLS; by D-13 once in each epoch. */
  private async propose(tx: Tx, group: Locked<Group>, members: readonly OcmAddress[]): Promise<OcmAddress[]> {
    const { mlsGroupId, epoch } = group;
    const here = this.config.domain;
    const servers = adminServers(group);
    const updates = await this.mls.proposeUpdates(tx, { mlsGroupId, members });
    for (const { member, ref, proposal } of updates) {
      if (servers.includes(here))
        await this.proposals.enqueue(tx, group, { ref, kind: 'update', proposer: member, content: proposal });
      for (const letter of proposalTo({ here, mlsGroupId }, servers, member, proposal))
        await this.outbox.post(tx, letter);
    }
    const proposed = updates.map(({ member }) => member);
    await this.members.proposed(tx, mlsGroupId, proposed, epoch);
    await this.gaps.expect(tx, group, this.clock.now());
    this.log.debug({ event: 'updates.proposed', group: mlsGroupId, epoch, members: proposed }, 'Updates were proposed');
    return proposed;
  }

  /**
   * A member whose Welcome never came, or was refused for good, has a leaf in the tree and no key of it here: the admins are
   * asked to replace it, as after any loss. OCM-MLS
   */
  private async askForLeaves(tx: Tx, group: Locked<Group>, leaves: readonly AgingLeaf[]): Promise<OcmAddress[]> {
    const now = this.clock.now();
    const half = this.config.updateIntervalMs / 2;
    const { mlsGroupId } = group;
    // The Welcomes of the others may be under way.
    const old = leaves.filter(({ updatedAt }) => now.getTime() - updatedAt.getTime() >= half);
    const keyPackages = await this.stateLoss.freshKeyPackages(
      tx,
      old.map(({ address }) => address),
    );
    if (keyPackages.length === 0) return [];
    const servers = adminServers(group);
    for (const letter of rejoinTo({ here: this.config.domain, mlsGroupId }, servers, keyPackages)) {
      await this.outbox.post(tx, letter);
    }
    for (const { userId, content } of servers.includes(this.config.domain) ? keyPackages : []) {
      await this.rejoins.put(tx, { mlsGroupId, address: userId, keyPackage: content, createdAt: now, dueAt: now });
    }
    const members = keyPackages.map(({ userId }) => userId);
    const dueAt = new Date(now.getTime() + half);
    await this.members.schedule(
      tx,
      mlsGroupId,
      members.map((address) => ({ address, dueAt })),
    );
    const facts = { event: 'leaves.asked-for', group: mlsGroupId, members };
    this.log.warn(facts, 'members here lack their leaves, and the admins are asked for others');
    return members;
  }

  /** Stale members, admins among them, are put before the admins of this server, who decide. OCM-MLS */
  private async askToEvict(tx: Tx, group: Locked<Group>, leaves: readonly AgingLeaf[]): Promise<void> {
    const now = this.clock.now();
    for (const leaf of leaves.filter(({ address }) => !this.isOwn(address))) {
      if (isStale(leaf, now, this.config.updateDeadlineMs))
        await this.approvals.ask(tx, group, { kind: 'evict', subject: leaf.address });
    }
  }

  /** Leaves for which nothing can be done yet, e.g. while the Welcome of a user here is under way. */
  private async later(tx: Tx, mlsGroupId: MlsGroupId, leaves: readonly AgingLeaf[]): Promise<void> {
    const dueAt = lookAgain(this.clock.now(), this.config.updateIntervalMs);
    await this.members.schedule(
      tx,
      mlsGroupId,
      leaves.map(({ address }) => ({ address, dueAt })),
    );
  }

  /** An own leaf is renewed in time; another's is looked at when it goes stale. */
  private dueAt(leaf: AgingLeaf): Date {
    if (this.isOwn(leaf.address)) return nextUpdate(leaf, this.config.updateIntervalMs);
    return new Date(leaf.updatedAt.getTime() + this.config.updateDeadlineMs + 1);
  }

  private isOwn(address: OcmAddress): boolean {
    return hostOf(address) === this.config.domain;
  }
}

import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import { StateLossService } from '../mls/state-loss.service.js';
import type { UserKeyPackage } from '../ocm/notification.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { adminServers, type Group } from './group.js';
import { GroupRepository } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import { COMMITTING, withoutQuiet } from './proposals.service.js';
import { judgeRejoin, rejoinDueAt, speaksFor } from './rejoin.js';
import { RejoinRequestRepository } from './rejoin-request.repository.js';

export interface RejoinNotice {
  readonly mlsGroupId: MlsGroupId;
  readonly keyPackages: readonly UserKeyPackage[];
}

/** Requests of servers that lost their state, sent to this one because an admin is at home here. */
@Injectable()
export class RejoinsService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly requests: RejoinRequestRepository,
    private readonly stateLoss: StateLossService,
    private readonly audit: AuditLog,
    private readonly poller: Poller,
  ) {}

  /**
   * Queues the latest request for each member; it is committed without anybody's approval (OCM-MLS R-061). Throws
   * `group.unknown`, `group.left`, `group.drifted`, `rejoin.not-admin-server`, `rejoin.not-from-home`,
   * `rejoin.not-member` when none of the users is one, saying which users of that server are; `rejoin.key-package`. A server that has no admin any more names those of now.
   * @param created when the request was signed
   */
  async receive(from: Host, { mlsGroupId, keyPackages }: RejoinNotice, created: Date): Promise<void> {
    await this.db.run(async (tx) => {
      const group = await this.groups.lock(tx, mlsGroupId);
      if (!group) throw new Fault('group.unknown', { group: mlsGroupId });
      if (group.state === 'left') throw new Fault('group.left', { group: mlsGroupId });
      if (group.state !== 'active') throw new Fault('group.drifted', { group: mlsGroupId });
      const users = keyPackages.map(({ userId }) => userId);
      if (!speaksFor(from, users)) throw new Fault('rejoin.not-from-home', { from, users });
      if (!adminServers(group).includes(this.config.domain)) throw await this.notHere(tx, from, group);
      const outcomes = [];
      for (const one of keyPackages) outcomes.push(await this.take(tx, from, group, one, created));
      if (outcomes.every((outcome) => outcome === 'no-member')) {
        const members = await this.members.ofServer(tx, mlsGroupId, from);
        throw new Fault('rejoin.not-member', { from, users, members });
      }
      if (!outcomes.includes('queue')) return;
      await this.audit.record(tx, { act: 'rejoin.asked', actor: from, group, epoch: group.epoch, facts: { users } });
      if (group.quietUntil && !group.submitted) {
        await this.groups.save(tx, group, withoutQuiet(group), this.clock.now());
      }
      this.db.afterCommit(tx, () => this.poller.wake(COMMITTING));
    });
  }

  /** A server that was asked because it had an admin once. Who has one now is for members to know. */
  private async notHere(tx: Tx, from: Host, { mlsGroupId, admins }: Group): Promise<Fault> {
    const members = await this.members.ofServer(tx, mlsGroupId, from);
    return members.length > 0
      ? new Fault('rejoin.not-admin-server', { admins })
      : new Fault('rejoin.not-member', { from, members });
  }

  private async take(tx: Tx, from: Host, group: Group, { userId, content }: UserKeyPackage, created: Date) {
    const { mlsGroupId } = group;
    const renewedAt = await this.members.renewedAt(tx, mlsGroupId, userId);
    const latest = await this.requests.latest(tx, mlsGroupId, userId);
    const known = { ...(renewedAt && { renewedAt }), ...(latest && { latest }) };
    const verdict = judgeRejoin({ userId, created }, known);
    if (verdict !== 'queue') return verdict;
    if (!(await this.isNew(tx, group, { userId, content }))) return 'ignore';
    const dueAt = rejoinDueAt(adminServers(group), from, this.config.domain, this.clock.now());
    await this.requests.put(tx, { mlsGroupId, address: userId, keyPackage: content, createdAt: created, dueAt });
    return verdict;
  }

  private async isNew(tx: Tx, { mlsGroupId }: Group, { userId, content }: UserKeyPackage): Promise<boolean> {
    try {
      return await this.stateLoss.replaces(tx, mlsGroupId, userId, content);
    } catch (error) {
      if (!isFault(error) || error.retry) throw error;
      throw new Fault('rejoin.key-package', { userId, reason: error.code }, error);
    }
  }
}

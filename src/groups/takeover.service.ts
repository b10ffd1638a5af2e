import { Injectable } from '@nestjs/common';
import { hostOf } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { MlsService } from '../mls/mls.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { Trust } from '../trust/trust.service.js';
import { planCommit } from './commit-plan.js';
import { EpochsService } from './epochs.service.js';
import { adminsBefore } from './failover.js';
import { FailoverService } from './failover.service.js';
import type { Group } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { GroupTurns } from './group-turn.service.js';
import { MemberRepository } from './member.repository.js';
import { TakeoverWatchRepository } from './takeover-watch.repository.js';

/** A takeover that cannot be made is tried again after that. */
const QUIET_MS = 600_000;

/** Makes this server the owner of groups whose owner fell silent. OCM-MLS R-088 */
@Injectable()
export class TakeoverService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly turns: GroupTurns,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly watches: TakeoverWatchRepository,
    private readonly failover: FailoverService,
    private readonly epochs: EpochsService,
    private readonly mls: MlsService,
    private readonly audit: AuditLog,
    private readonly trust: Trust,
    private readonly log: Log,
  ) {}

  /** Takes over one group that is due, and says whether there was one. */
  takeOverNext(): Promise<boolean> {
    return this.turns.take({
      next: (tx, how) => this.watches.due(tx, this.clock.now(), how),
      work: async (tx, group) => {
        // The takeover time may have been set anew since.
        const due = await this.failover.watch(tx, group);
        if (!due || due > this.clock.now()) return;
        if (await this.mutes(tx, group)) return this.putOff(tx, group);
        await this.takeOver(tx, group);
      },
      putOff: (tx, group) => this.putOff(tx, group),
    });
  }

  private async putOff(tx: Tx, group: Locked<Group>): Promise<void> {
    const now = this.clock.now();
    await this.groups.save(tx, group, { ...group, quietUntil: new Date(now.getTime() + QUIET_MS) }, now);
  }

  /** Whether this server itself does not listen to one that it would evict: then its silence here says nothing. */
  private async mutes(tx: Tx, group: Group): Promise<boolean> {
    for (const admin of adminsBefore(group, this.config.domain)) {
      const { kind } = await this.trust.standing(hostOf(admin), tx);
      if (kind !== 'allowed') return true;
    }
    return false;
  }

  /**
   * The first Commit evicts the silent admins and does nothing else, so that little is lost when it must be taken back
   * . The admin of this server who makes it thereby approves it (D-15). What waited for the silent owner's word
   * is asked for again in the new epoch.
   */
  private async takeOver(tx: Tx, group: Locked<Group>): Promise<void> {
    const { mlsGroupId } = group;
    const here = this.config.domain;
    const evict = adminsBefore(group, here);
    const members = (await this.members.of(tx, mlsGroupId)).map(({ address }) => address);
    const { plan } = planCommit({ here, admins: group.admins, members }, { changes: [], proposals: [], evict });
    if (!plan) throw new Fault('internal', { what: 'takeover without a Commit', group: mlsGroupId });
    await this.failover.holdBack(tx, group);
    await this.mls.dropPending(tx, mlsGroupId);
    const { committer, add, remove, admins } = plan;
    const built = await this.mls.buildCommit(tx, { mlsGroupId, committer, add, remove, ...(admins && { admins }) });
    const accepted = await this.mls.acceptPending(tx, mlsGroupId, built.digest);
    this.log.warn(
      { event: 'group.taken-over', group: mlsGroupId, evicted: evict, approvedBy: committer, digest: built.digest },
      'this server took over a group whose owner fell silent',
    );
    await this.audit.record(tx, {
      act: 'owner.taken-over',
      actor: committer,
      group,
      epoch: group.epoch,
      digest: built.digest,
      facts: { evicted: evict },
    });
    await this.epochs.enter(tx, group, { ...accepted, arbiter: here });
  }
}

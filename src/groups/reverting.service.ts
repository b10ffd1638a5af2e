import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { FeedRecorder } from '../feed/recorder.service.js';
import { EarlierGroupKeyRepository } from '../mls/earlier-group-key.repository.js';
import { HeldStateRepository } from '../mls/held-state.repository.js';
import { Outbox } from '../outbox/outbox.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Log } from '../platform/logger.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { ChangeRepository } from './change.repository.js';
import { CommitLogRepository } from './commit-log.repository.js';
import { FollowerRepository } from './follower.repository.js';
import { rosterEvents } from './group-events.js';
import type { Group } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { type HeldEpoch, HeldEpochRepository } from './held-epoch.repository.js';
import { MemberRepository } from './member.repository.js';
import { QueuedProposalRepository } from './queued-proposal.repository.js';

/** Takes Commits back that lost to one of an arbiter who stands before theirs. OCM-MLS */
@Injectable()
export class RevertingService {
  constructor(
    private readonly clock: Clock,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly commitLog: CommitLogRepository,
    private readonly changes: ChangeRepository,
    private readonly queued: QueuedProposalRepository,
    private readonly followers: FollowerRepository,
    private readonly held: HeldEpochRepository,
    private readonly states: HeldStateRepository,
    private readonly earlierKeys: EarlierGroupKeyRepository,
    private readonly outbox: Outbox,
    private readonly audit: AuditLog,
    private readonly feed: FeedRecorder,
    private readonly log: Log,
  ) {}

  /**
   * The group as it stood in the held epoch; all that came of the lost Commits is undone: the log, the roster, the MLS
   * state, what was asked and seemed done, what was proposed on top of them, and letters that tell of them and have not
   * gone out. Followers look at the group again, even when it comes to the same number of epochs.
   */
  async revert(tx: Tx, group: Locked<Group>, held: HeldEpoch): Promise<Locked<Group>> {
    const { mlsGroupId, epoch, admins, submitted } = held;
    const now = this.clock.now();
    const lost = await this.commitLog.since(tx, mlsGroupId, epoch);
    for (const { digest, added } of lost) {
      await this.outbox.withdraw(tx, { lane: mlsGroupId, kind: 'MLS_COMMIT', subject: digest });
      for (const user of added) {
        await this.outbox.withdraw(tx, { lane: mlsGroupId, kind: 'MLS_WELCOME', subject: user });
      }
    }
    await this.commitLog.forgetSince(tx, mlsGroupId, epoch);
    await this.states.restore(tx, mlsGroupId, epoch);
    await this.earlierKeys.forgetFrom(tx, mlsGroupId, epoch);
    const roster = await this.members.restore(tx, mlsGroupId, held.roster);
    await this.queued.forgetAll(tx, mlsGroupId);
    await this.changes.reopenAfter(tx, mlsGroupId, epoch, now);
    await this.followers.rewind(tx, mlsGroupId);
    await this.held.forgetAfter(tx, mlsGroupId, epoch);
    await this.states.forgetAfter(tx, mlsGroupId, epoch);
    const { submitted: _, quietUntil: __, ...rest } = group;
    const before: Group = {
      ...rest,
      history: group.history + 1,
      epoch,
      admins,
      state: 'active',
      ...(submitted ? { submitted } : {}),
    };
    const facts = { from: group.epoch, lost: lost.map(({ digest }) => digest) };
    const told = { event: 'epoch.reverted', group: mlsGroupId, epoch, ...facts };
    this.log.warn(told, 'Commits of a group were taken back');
    await this.audit.record(tx, { act: 'epoch.reverted', group, epoch, facts });
    const saved = await this.groups.save(tx, group, before, now);
    await this.feed.record(tx, ...rosterEvents(saved, roster));
    return saved;
  }
}

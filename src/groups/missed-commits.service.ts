import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { CommitLogRepository } from './commit-log.repository.js';
import type { Group } from './group.js';
import { GroupRepository } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import { commitsFor, commitsThatFit, type MissedCommits, type RosterStep } from './missed-commits.js';

/** Who is behind by more has to rejoin. */
const MOST_BEHIND = 10_000;

/** The Commits of this server's log, for others that missed them. */
@Injectable()
export class MissedCommitsService {
  constructor(
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly commitLog: CommitLogRepository,
  ) {}

  /**
   * The Commits that ended the epochs from `at` on. Throws `commits.unknown`, the same for a group that is not known, and
   * one that the asking server had no member in at that time; `group.drifted` to a server that has one. D-11
   */
  async since(asking: Host, mlsGroupId: MlsGroupId, at: Epoch): Promise<MissedCommits> {
    return this.db.run(async (tx) => {
      const group = await this.groups.lock(tx, mlsGroupId);
      const given = group && group.state !== 'left' ? await this.give(tx, asking, group, at) : undefined;
      if (!given) throw new Fault('commits.unknown');
      return given;
    });
  }

  private async give(tx: Tx, asking: Host, group: Group, at: Epoch): Promise<MissedCommits | undefined> {
    const { mlsGroupId, epoch } = group;
    const members = (await this.members.of(tx, (await this.lives(tx, group)).mlsGroupId)).map(({ address }) => address);
    const steps = epoch - at > MOST_BEHIND ? [] : await this.commitLog.steps(tx, mlsGroupId, at);
    const whole = isWhole(steps, at, epoch);
    const allowed = commitsFor(asking, members, whole ? steps : []);
    if (allowed === undefined) return undefined;
    // Whether its log is the group's is not known here, which says nothing of the one that asks.
    if (group.state === 'drifted') throw new Fault('group.drifted', { group: mlsGroupId });
    const count = whole ? commitsThatFit(steps.slice(0, allowed)) : 0;
    const commits = await this.commitLog.since(tx, mlsGroupId, at, count);
    return {
      epoch,
      commits: commits.map(({ arbiter, proposals, commit }) => ({ arbiter, proposals, content: commit })),
    };
  }

  /** A group that has a successor has no roster of its own; who is in the one was in the other. */
  private async lives(tx: Tx, group: Group): Promise<Group> {
    return group.state === 'superseded' ? ((await this.groups.byAddress(tx, group.address)) ?? group) : group;
  }
}

/** Whether the log reaches from `at` to where the group stands, without a gap. */
const isWhole = (steps: readonly RosterStep[], at: Epoch, current: Epoch): boolean =>
  steps.length === current - at && steps.every((step, index) => step.epoch === at + index);

import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { type FaultCode, isFault } from '../kernel/fault.js';
import { MlsService } from '../mls/mls.service.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { proposalTo, submission } from './broadcast.js';
import type { Change } from './change.js';
import { ChangeRepository } from './change.repository.js';
import { type CommitPlan, planCommit } from './commit-plan.js';
import { EpochsService } from './epochs.service.js';
import { adminServers, type Group, ownerServer } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { LeaveProposalRepository } from './leave-proposal.repository.js';
import { MemberRepository } from './member.repository.js';
import { ProposalsService } from './proposals.service.js';

/** How long a group is left in peace when nothing could be done for it. */
const QUIET_MS = 60_000;

/** Turns what was asked for into Commits and proposals of this server's own. */
@Injectable()
export class CommittingService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly changes: ChangeRepository,
    private readonly leaves: LeaveProposalRepository,
    private readonly proposals: ProposalsService,
    private readonly epochs: EpochsService,
    private readonly mls: MlsService,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  /** Does what is due in one group, and says whether there was one. */
  async commitNext(): Promise<boolean> {
    return this.db.run(async (tx) => {
      const group = await this.groups.withWork(tx, this.clock.now());
      if (!group) return false;
      await this.propose(tx, group);
      if (!(await this.commit(tx, group))) await this.quiet(tx, group);
      return true;
    });
  }

  /** Leaves of our own users, made anew in each epoch that did not bring them (D-13). */
  private async propose(tx: Tx, group: Locked<Group>): Promise<void> {
    const due = (await this.changes.open(tx, group.mlsGroupId)).filter(
      ({ kind, state, proposedIn }) => kind === 'leave' && state === 'prepared' && proposedIn !== group.epoch,
    );
    for (const change of due) {
      const leaver = change.subject;
      const proposal = await this.mls.proposeLeave(tx, { mlsGroupId: group.mlsGroupId, leaver });
      const servers = adminServers(group);
      if (servers.includes(this.config.domain)) await this.proposals.queue(tx, group, proposal);
      const from = { here: this.config.domain, mlsGroupId: group.mlsGroupId };
      for (const letter of proposalTo(from, servers, leaver, proposal)) await this.outbox.post(tx, letter);
      await this.changes.save(tx, { ...change, proposedIn: group.epoch });
    }
  }

  /** True when a Commit was made. */
  private async commit(tx: Tx, group: Locked<Group>): Promise<boolean> {
    const now = this.clock.now();
    const members = (await this.members.of(tx, group.mlsGroupId)).map(({ address }) => address);
    const open = (await this.changes.open(tx, group.mlsGroupId)).filter(
      ({ kind, state, nextTryAt }) => kind !== 'leave' && state === 'prepared' && nextTryAt <= now,
    );
    const leaves = (await this.leaves.madeIn(tx, group.mlsGroupId, group.epoch))
      .filter(({ dueAt }) => dueAt <= now)
      .map(({ ref, leaver, content }) => ({ ref, leaver, proposal: content }));
    const standing = { here: this.config.domain, admins: group.admins, members };
    const { plan, moot, refused } = planCommit(standing, open, leaves);
    await this.settle(tx, open, moot, { state: 'done', epoch: group.epoch });
    for (const { id, fault } of refused) await this.settle(tx, open, [id], { state: 'refused', fault });
    return plan ? this.carryOut(tx, group, open, plan) : false;
  }

  private async carryOut(tx: Tx, group: Locked<Group>, open: readonly Change[], plan: CommitPlan): Promise<boolean> {
    const { mlsGroupId } = group;
    const { committer, add, remove, admins, leaves } = plan;
    const selfRemovals = leaves.map(({ proposal }) => proposal);
    let built;
    try {
      built = await this.mls.buildCommit(tx, {
        mlsGroupId,
        committer,
        add,
        remove,
        selfRemovals,
        ...(admins ? { admins } : {}),
      });
    } catch (error) {
      // Our own policy, or a KeyPackage that went bad meanwhile: said to who asked, and not tried for ever.
      if (!isFault(error) || error.retry) throw error;
      this.log.warn(
        { event: 'commit.not-made', group: mlsGroupId, code: error.code, err: error },
        'a Commit could not be made',
      );
      await this.settle(tx, open, plan.covers, { state: 'refused', fault: error.code });
      return false;
    }
    const { digest, commit, proposals } = built;
    const owner = ownerServer(group);
    if (owner === this.config.domain) {
      const { facts, welcome } = await this.mls.acceptPending(tx, mlsGroupId, digest);
      const applied = { facts, digest, commit, proposals, arbiter: owner, ...(welcome ? { welcome } : {}) };
      await this.epochs.enter(tx, group, applied);
      return true;
    }
    await this.settle(tx, open, plan.covers, { state: 'committing', digest });
    await this.groups.save(tx, group, { ...group, submitted: digest }, this.clock.now());
    await this.outbox.post(tx, submission({ here: this.config.domain, mlsGroupId }, owner, built));
    return true;
  }

  private async settle(
    tx: Tx,
    open: readonly Change[],
    ids: readonly string[],
    outcome: Partial<Change> & { readonly state: Change['state']; readonly fault?: FaultCode },
  ): Promise<void> {
    for (const change of open.filter(({ id }) => ids.includes(id)))
      await this.changes.save(tx, { ...change, ...outcome });
  }

  private async quiet(tx: Tx, group: Locked<Group>): Promise<void> {
    const now = this.clock.now();
    await this.groups.save(tx, group, { ...group, quietUntil: new Date(now.getTime() + QUIET_MS) }, now);
  }
}

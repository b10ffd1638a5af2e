import { Injectable } from '@nestjs/common';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, type FaultCode, isFault } from '../kernel/fault.js';
import type { CommitDigest } from '../kernel/ids.js';
import { MlsService } from '../mls/mls.service.js';
import type { PendingCommit } from '../mls/pending-commit.repository.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { Trust } from '../trust/trust.service.js';
import { submission } from './broadcast.js';
import type { Change } from './change.js';
import { ChangeRepository } from './change.repository.js';
import { type CarriedProposal, type CommitPlan, planCommit, type Standing } from './commit-plan.js';
import { EpochsService } from './epochs.service.js';
import { FailoverService } from './failover.service.js';
import { type Group, ownerServer } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { GroupTurns } from './group-turn.service.js';
import { QueuedProposalRepository } from './queued-proposal.repository.js';
import { MemberRepository } from './member.repository.js';
import { withoutQuiet } from './proposals.service.js';
import { ProposingService } from './proposing.service.js';
import { FRESH_MS } from './reinit.js';
import { SuccessorKeyPackageRepository } from './successor-key-package.repository.js';
import { RejoinRequestRepository } from './rejoin-request.repository.js';

/** How long a group is left in peace when nothing could be done for it. */
const QUIET_MS = 60_000;

/** How long what must not be done now waits: a ReInit while the group may still go back, an Add over a held server. */
const UNSETTLED_MS = 600_000;

/** How long an owner server that was away waits for the word of the next admin's server. */
const ASKED_MS = 600_000;

/** Turns what was asked for into this server's own Commits, once it has proposed what it cannot commit. */
@Injectable()
export class CommittingService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly turns: GroupTurns,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly changes: ChangeRepository,
    private readonly queued: QueuedProposalRepository,
    private readonly rejoins: RejoinRequestRepository,
    private readonly proposing: ProposingService,
    private readonly failover: FailoverService,
    private readonly epochs: EpochsService,
    private readonly keyPackages: SuccessorKeyPackageRepository,
    private readonly mls: MlsService,
    private readonly outbox: Outbox,
    private readonly trust: Trust,
    private readonly log: Log,
  ) {}

  /** Does what is due in one group, and says whether there was one. A group that fails is left in peace for a while. */
  commitNext(): Promise<boolean> {
    return this.turns.take({
      next: (tx, how) => this.groups.withWork(tx, this.clock.now(), how),
      work: (tx, group) => (group.submitted ? this.submitAgain(tx, group, group.submitted) : this.work(tx, group)),
      putOff: (tx, group) => this.quiet(tx, group),
    });
  }

  private async work(tx: Tx, group: Locked<Group>): Promise<void> {
    await this.proposing.propose(tx, group);
    if (!(await this.commit(tx, group))) await this.quiet(tx, group);
  }

  /**
   * The owner server kept our Commit for later, and was not heard since. The same Commit again harms nothing. When we
   * are the owner server and have asked another one first, its silence is as good as its word.
   */
  private async submitAgain(tx: Tx, group: Locked<Group>, digest: CommitDigest): Promise<void> {
    const { mlsGroupId } = group;
    const waiting = await this.mls.pendingCommit(tx, mlsGroupId);
    if (waiting?.digest !== digest) throw new Fault('commit.not-pending', { group: mlsGroupId, digest });
    if (ownerServer(group) === this.config.domain) return this.accept(tx, group, digest);
    await this.groups.save(tx, group, withoutQuiet(group), this.clock.now());
    await this.outbox.post(tx, submission({ here: this.config.domain, mlsGroupId }, ownerServer(group), waiting));
  }

  /** True when the group moved on, or a change that was in the way is gone. */
  private async commit(tx: Tx, group: Locked<Group>): Promise<boolean> {
    const now = this.clock.now();
    const members = (await this.members.of(tx, group.mlsGroupId)).map(({ address }) => address);
    const ready = (await this.changes.open(tx, group.mlsGroupId)).filter(
      ({ kind, state, nextTryAt }) => kind !== 'leave' && state === 'prepared' && nextTryAt <= now,
    );
    const open = await this.withoutRefused(tx, await this.withoutHasty(tx, group, ready));
    const queued = await this.queued.madeIn(tx, group.mlsGroupId, group.epoch);
    // What is queued goes along with whatever is due, since it dies with the epoch. OCM-MLS R-062
    const rejoins = await this.rejoins.due(tx, group.mlsGroupId, now);
    const isDue = open.length > 0 || rejoins.length > 0 || queued.some(({ dueAt }) => dueAt <= now);
    const due = isDue ? queued : [];
    const proposals = due.map(({ kind, proposer, content }) => ({ kind, proposer, proposal: content }));
    const standing = { here: this.config.domain, admins: group.admins, members };
    // An admin of ours whose Update waits may make the Commit: the UpdatePath renews the leaf as well (D-15).
    const refresh = proposals.flatMap(({ kind, proposer }) =>
      kind === 'update' && group.admins.includes(proposer) ? proposer : [],
    );
    const { plan, moot, refused } = planCommit(standing, { changes: open, proposals, rejoins, refresh });
    await this.settle(tx, open, moot, { state: 'done', epoch: group.epoch });
    for (const { id, fault } of refused) await this.settle(tx, open, [id], { state: 'refused', fault });
    if (!plan) return false;
    if (plan.reinit && (await this.lacks(tx, group, plan.committer))) {
      await this.settle(tx, open, plan.covers, { state: 'requested' });
      return true;
    }
    const built = await this.build(tx, group, plan);
    if ('digest' in built) return this.carryOut(tx, group, open, plan, built);
    // Who waits asks again; one KeyPackage that went bad must not keep others waiting.
    if (plan.rejoin.length > 0) {
      const waiting = plan.rejoin.map(({ address }) => address);
      await this.rejoins.forget(tx, group.mlsGroupId, waiting);
      return true;
    }
    // What was asked for by one must not fail for what another asked for: the oldest is tried by itself.
    const [first] = open.filter(({ id }) => plan.covers.includes(id));
    if (!first) return this.commitFewer(tx, group, standing, plan.proposals, refresh);
    const { plan: alone } = planCommit(standing, { changes: [first], proposals: [] });
    const only = alone ? await this.build(tx, group, alone) : built;
    if (alone && 'digest' in only) return this.carryOut(tx, group, open, alone, only);
    if ('fault' in only) await this.settle(tx, open, [first.id], { state: 'refused', fault: only.fault });
    return true;
  }

  /**
   * While the group may still go back behind a takeover it is not ended: a ReInit cannot be taken back, since others go on
   * to the successor (OCM-MLS ). That waits until it is settled.
   */
  private async withoutHasty(tx: Tx, group: Locked<Group>, changes: readonly Change[]): Promise<readonly Change[]> {
    const hasty = changes.filter(({ kind }) => kind === 'reinit');
    if (hasty.length === 0 || !(await this.failover.mayGoBack(tx, group))) return changes;
    const nextTryAt = new Date(this.clock.now().getTime() + UNSETTLED_MS);
    for (const change of hasty) await this.changes.save(tx, { ...change, nextTryAt });
    return changes.filter((change) => !hasty.includes(change));
  }

  /** Policy may have been changed since somebody was asked for: who is refused is not added, who is held waits. */
  private async withoutRefused(tx: Tx, changes: readonly Change[]): Promise<readonly Change[]> {
    const kept: Change[] = [];
    for (const change of changes) {
      const standing = change.kind === 'add' ? await this.trust.standing(hostOf(change.subject), tx) : undefined;
      if (!standing || standing.kind === 'allowed') kept.push(change);
      else if (standing.kind === 'refused') {
        await this.changes.save(tx, { ...change, state: 'refused', fault: 'change.peer-refused' });
      } else {
        await this.changes.save(tx, { ...change, nextTryAt: new Date(this.clock.now().getTime() + UNSETTLED_MS) });
      }
    }
    return kept;
  }

  /**
   * One proposal that spoils the Commit must not hold up the others: half of them are tried, and half of those. Those left
   * out are proposed anew in the next epoch (D-13). One that fails by itself is forgotten.
   */
  private async commitFewer(
    tx: Tx,
    group: Locked<Group>,
    standing: Standing,
    failed: readonly CarriedProposal[],
    refresh: readonly OcmAddress[],
  ): Promise<boolean> {
    const [first, second] = failed;
    if (!first) return false;
    if (!second) {
      await this.queued.forget(tx, { mlsGroupId: group.mlsGroupId, epoch: group.epoch, ...first });
      return true;
    }
    const proposals = failed.slice(0, Math.ceil(failed.length / 2));
    const { plan } = planCommit(standing, { changes: [], proposals, refresh });
    const built = plan && (await this.build(tx, group, plan));
    if (built && 'digest' in built) return this.carryOut(tx, group, [], plan, built);
    return this.commitFewer(tx, group, standing, proposals, refresh);
  }

  /** Whether a KeyPackage is missing without which the successor cannot be made: the roster may have changed since. */
  private async lacks(tx: Tx, { mlsGroupId }: Group, maker: OcmAddress): Promise<boolean> {
    const since = new Date(this.clock.now().getTime() - FRESH_MS);
    return (await this.keyPackages.missing(tx, mlsGroupId, maker, since)).length > 0;
  }

  /** Or why our own policy, or a KeyPackage that went bad meanwhile, does not let it be made. */
  private async build(
    tx: Tx,
    { mlsGroupId }: Group,
    { committer, add, remove, rejoin, admins, proposals, reinit }: CommitPlan,
  ): Promise<PendingCommit | { readonly fault: FaultCode }> {
    const carried = proposals.map(({ proposal }) => proposal);
    const changed = { ...(admins ? { admins } : {}), ...(reinit ? { reinit } : {}) };
    const wish = { mlsGroupId, committer, add, remove, rejoin, proposals: carried, ...changed };
    try {
      return await this.mls.buildCommit(tx, wish);
    } catch (error) {
      if (!isFault(error) || error.retry) throw error;
      const facts = { event: 'commit.not-made', group: mlsGroupId, code: error.code, err: error };
      this.log.warn(facts, 'a Commit could not be made');
      return { fault: error.code };
    }
  }

  private async carryOut(
    tx: Tx,
    group: Locked<Group>,
    open: readonly Change[],
    plan: CommitPlan,
    built: PendingCommit,
  ): Promise<true> {
    const { mlsGroupId } = group;
    const { digest } = built;
    const here = this.config.domain;
    const judge = await this.failover.judgeOf(tx, group);
    if (judge === here) {
      await this.accept(tx, group, digest);
      return true;
    }
    await this.settle(tx, open, plan.covers, { state: 'committing', digest });
    const now = this.clock.now();
    const asking = ownerServer(group) === here ? { quietUntil: new Date(now.getTime() + ASKED_MS) } : {};
    await this.groups.save(tx, group, { ...withoutQuiet(group), ...asking, submitted: digest }, now);
    await this.outbox.post(tx, submission({ here, mlsGroupId }, judge, built));
    return true;
  }

  /** As the owner server, by its own word. */
  private async accept(tx: Tx, group: Locked<Group>, digest: CommitDigest): Promise<void> {
    const accepted = await this.mls.acceptPending(tx, group.mlsGroupId, digest);
    await this.epochs.enter(tx, group, { ...accepted, arbiter: this.config.domain });
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

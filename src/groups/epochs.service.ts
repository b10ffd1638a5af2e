import { Injectable } from '@nestjs/common';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { isFault } from '../kernel/fault.js';
import type { CommitDigest, MlsGroupId } from '../kernel/ids.js';
import { FeedRecorder } from '../feed/recorder.service.js';
import type { CommitFacts, GroupView } from '../mls/group-view.js';
import { MlsService } from '../mls/mls.service.js';
import { Outbox } from '../outbox/outbox.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { Trust } from '../trust/trust.service.js';
import { ApprovalQueue } from './approval-queue.service.js';
import { broadcast, welcomes } from './broadcast.js';
import { afterCommit } from './change.js';
import { ChangeRepository } from './change.repository.js';
import { CommitLogRepository } from './commit-log.repository.js';
import { DepartureRepository } from './departure.repository.js';
import { FailoverService } from './failover.service.js';
import { rosterEvents } from './group-events.js';
import type { Group } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { QueuedProposalRepository } from './queued-proposal.repository.js';
import { RejoinRequestRepository } from './rejoin-request.repository.js';
import { MemberRepository } from './member.repository.js';
import { makesAt } from './reinit.js';
import { ReinitRepository } from './reinit.repository.js';

/** A Commit that our MLS state has just followed. */
export interface AppliedCommit {
  readonly facts: CommitFacts;
  readonly digest: CommitDigest;
  readonly commit: Uint8Array;
  readonly proposals: readonly Uint8Array[];
  /** The HTTP signer who arbitrated it (D-14): this server itself when it is the owner server. */
  readonly arbiter: Host;
  /** There when one of our own admins made the Commit and it adds somebody. */
  readonly welcome?: Uint8Array;
}

/** How a group stands in an epoch. */
export type Standing = Pick<GroupView, 'epoch' | 'admins' | 'members' | 'successor'>;

/** The one place where a group moves on: the group, its roster, the commit log and the letters, all or nothing. */
@Injectable()
export class EpochsService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly departures: DepartureRepository,
    private readonly commitLog: CommitLogRepository,
    private readonly changes: ChangeRepository,
    private readonly queued: QueuedProposalRepository,
    private readonly failover: FailoverService,
    private readonly reinits: ReinitRepository,
    private readonly rejoins: RejoinRequestRepository,
    private readonly approvals: ApprovalQueue,
    private readonly mls: MlsService,
    private readonly outbox: Outbox,
    private readonly audit: AuditLog,
    private readonly trust: Trust,
    private readonly feed: FeedRecorder,
    private readonly log: Log,
  ) {}

  /** Records that `group` entered the next epoch and writes the letters that this server owes for it. */
  async enter(tx: Tx, group: Locked<Group>, applied: AppliedCommit): Promise<Locked<Group>> {
    const at = this.clock.now();
    const { facts, digest, commit, proposals, arbiter } = applied;
    const next = await this.standAt(tx, group, facts.after, facts);
    await this.rejoins.forget(tx, group.mlsGroupId, facts.removed);
    // A Commit of ours that lost must not be accepted by an owner server that was away (OCM-MLS R-019).
    if (group.submitted && group.submitted !== digest) {
      const lost = { lane: group.mlsGroupId, kind: 'MLS_COMMIT', subject: group.submitted };
      await this.outbox.withdraw(tx, lost);
    }
    await this.commitLog.append(tx, {
      mlsGroupId: group.mlsGroupId,
      epoch: group.epoch,
      digest,
      arbiter,
      committer: facts.committer,
      added: facts.added,
      removed: facts.removed,
      commit,
      proposals,
      recordedAt: at,
    });
    await this.audit.record(tx, {
      act: 'epoch.entered',
      actor: facts.committer,
      group,
      epoch: next.epoch,
      digest,
      facts: whatChanged(facts, arbiter),
    });
    await this.noteRefused(tx, next, facts);
    if (next.state === 'suspended') await this.announce(tx, next, facts);
    await this.write(tx, group, applied);
    this.log.info(
      { event: 'epoch.entered', group: group.mlsGroupId, epoch: next.epoch, digest, arbiter, state: next.state },
      'a group entered its next epoch',
    );
    return next;
  }

  /**
   * Makes the stored group, its roster, the open changes and what waits for approval agree with the MLS state; without
   * users of ours there is no roster. OCM-MLS
   * @param renewed whose leaf got new keys on the way
   */
  async standAt(
    tx: Tx,
    group: Locked<Group>,
    view: Standing,
    renewed: Pick<CommitFacts, 'added' | 'updated'> = { added: [], updated: [] },
  ): Promise<Locked<Group>> {
    const now = this.clock.now();
    const here = view.members.some(({ address }) => hostOf(address) === this.config.domain);
    const { submitted: _, quietUntil: __, ...rest } = group;
    const alive = view.successor ? 'suspended' : 'active';
    const next: Group = { ...rest, epoch: view.epoch, admins: view.admins, state: here ? alive : 'left' };
    const roster = await this.members.replace(tx, group.mlsGroupId, here ? view.members : [], now, renewed);
    if (view.epoch > group.epoch + 1) await this.departures.noteUnseen(tx, group.mlsGroupId);
    await this.queued.forgetBefore(tx, group.mlsGroupId, view.epoch);
    const standing = { ...next, members: new Set<OcmAddress>(view.members.map(({ address }) => address)) };
    for (const change of await this.changes.open(tx, group.mlsGroupId)) {
      const settled = afterCommit(change, standing);
      if (settled !== change) await this.changes.save(tx, settled);
    }
    const leaves = { members: standing.members, renewed: new Set([...renewed.added, ...renewed.updated]) };
    await this.approvals.afterEpoch(tx, next, leaves);
    const saved = await this.groups.save(tx, group, next, now);
    await this.failover.watch(tx, saved);
    // That the roster of a group that was left is not known any more goes without saying.
    if (here) await this.feed.record(tx, ...rosterEvents(saved, roster));
    return saved;
  }

  /** Who may not federate with us can be a member by the word of others: a follower has no veto, but tells. */
  private async noteRefused(tx: Tx, group: Group, { added, committer }: CommitFacts): Promise<void> {
    for (const member of added) {
      const { kind, reason } = await this.trust.standing(hostOf(member), tx);
      if (kind === 'allowed') continue;
      const facts = { standing: kind, reason };
      const entry = { actor: committer, subject: member, group, epoch: group.epoch, facts };
      await this.audit.record(tx, { act: 'provider.member-refused', ...entry });
      this.log.warn(
        { event: 'member.not-let-in', group: group.mlsGroupId, member, ...facts },
        'a Commit of others brought a member whose server may not federate with this one',
      );
    }
  }

  /** The group ended with a ReInit: from now on it waits for its successor. OCM-MLS */
  private async announce(tx: Tx, { mlsGroupId, admins }: Group, { committer, after }: CommitFacts): Promise<void> {
    const dueAt = this.clock.now();
    const turn = makesAt(this.config.domain, { admins, committer }, dueAt);
    const reinit = { mlsGroupId, successor: after.successor!, tries: 0 };
    await this.reinits.put(tx, { ...reinit, ...(turn ? { makesAt: turn, dueAt } : {}) });
  }

  private async write(tx: Tx, { mlsGroupId }: Group, applied: AppliedCommit): Promise<void> {
    const from = { here: this.config.domain, mlsGroupId };
    const { facts, arbiter, welcome } = applied;
    if (arbiter === from.here) {
      const before = facts.before.members.map(({ address }) => address);
      for (const letter of broadcast(from, before, applied)) await this.outbox.post(tx, letter);
    }
    if (welcome) await this.invite(tx, mlsGroupId, facts.added, welcome);
  }

  /** Takes users of this server in and writes to the servers of the others. */
  async invite(tx: Tx, mlsGroupId: MlsGroupId, users: readonly OcmAddress[], welcome: Uint8Array): Promise<void> {
    const { domain: here } = this.config;
    for (const userId of users.filter((user) => hostOf(user) === here)) {
      await this.welcome(tx, mlsGroupId, userId, welcome);
    }
    for (const letter of welcomes({ here, mlsGroupId }, users, welcome)) await this.outbox.post(tx, letter);
  }

  /** A user who cannot be taken in, e.g. one who was forgotten here meanwhile, does not hold up the Commit. */
  private async welcome(tx: Tx, group: MlsGroupId, userId: OcmAddress, welcome: Uint8Array): Promise<void> {
    try {
      await this.mls.join(tx, { userId, welcome, advised: group });
    } catch (error) {
      if (!isFault(error) || error.retry) throw error;
      this.log.error(
        { event: 'welcome.not-joined', group, user: userId, code: error.code, err: error },
        'a user of this server was added and cannot join',
      );
    }
  }
}

/** The admin set only where it is another one than before. */
function whatChanged({ before, after, added, removed }: CommitFacts, arbiter: Host): Readonly<Record<string, unknown>> {
  const admins = before.admins.join(' ') === after.admins.join(' ') ? undefined : after.admins;
  return {
    arbiter,
    ...(added.length > 0 && { added }),
    ...(removed.length > 0 && { removed }),
    ...(admins && { admins }),
  };
}

import { Injectable } from '@nestjs/common';
import { type Host, hostOf } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import { type CommitDigest, epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import { MlsService } from '../mls/mls.service.js';
import { Config } from '../platform/config.js';
import { Metrics } from '../platform/metrics.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { judgeCommit, type Verdict } from './arbitration.js';
import { CommitLogRepository } from './commit-log.repository.js';
import { EpochsService } from './epochs.service.js';
import { arbiterOf } from './failover.js';
import { FailoverService } from './failover.service.js';
import { DriftService } from './drift.service.js';
import { GapRepository } from './gap.repository.js';
import { adminServers, type Group, ownerServer } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import { RevertingService } from './reverting.service.js';
import { OwnReturnService } from './own-return.service.js';

export interface CommitNotice {
  readonly mlsGroupId: MlsGroupId;
  readonly content: Uint8Array;
  readonly proposals: readonly Uint8Array[];
}

/** What a Commit that was sent to us comes to. `epoch` is where the group stands here now. */
export type Received = {
  readonly kind: Verdict['kind'];
  readonly epoch: Epoch;
  readonly commitEpoch: Epoch;
  readonly digest: CommitDigest;
  /** Of a `gap`: what is kept may go again when there is too much. */
  readonly lossy?: true;
};

/** Commits of others: arbitrated where this server is the group's owner, followed where it is not. */
@Injectable()
export class CommitsService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly commitLog: CommitLogRepository,
    private readonly gaps: GapRepository,
    private readonly failover: FailoverService,
    private readonly reverting: RevertingService,
    private readonly drifts: DriftService,
    private readonly ownReturn: OwnReturnService,
    private readonly epochs: EpochsService,
    private readonly mls: MlsService,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Judges a Commit and, if it is acceptable, enters the next epoch. Throws `commit.wrong-group` (OCM-MLS R-101),
   * `group.unknown`, `group.closed`, `commit.not-from-owner`, `commit.not-from-home`, `commit.takeover-early` and what the Commit policy
   * refuses with; then nothing has changed. A Commit of an epoch that has passed may still win over the one that was
   * followed.
   */
  async receive(from: Host, notice: CommitNotice): Promise<Received> {
    const began = this.clock.now().getTime();
    try {
      const received = await this.db.run((tx) => this.receiveIn(tx, from, notice));
      this.metrics.commitJudged(received.kind);
      if (received.kind === 'accept') this.metrics.commitAccepted((this.clock.now().getTime() - began) / 1000);
      return received;
    } catch (error) {
      this.metrics.commitJudged(isFault(error) ? error.code : 'internal');
      await this.drifts.noticed(from, notice.content, error);
      throw error;
    }
  }

  private async receiveIn(tx: Tx, from: Host, notice: CommitNotice): Promise<Received> {
    const head = this.mls.readCommit(notice.content);
    if (head.mlsGroupId !== notice.mlsGroupId) throw new Fault('commit.wrong-group', { advised: notice.mlsGroupId });
    const group = await this.groups.lock(tx, head.mlsGroupId);
    if (!group) throw new Fault('group.unknown', { group: head.mlsGroupId });
    if (group.state === 'drifted') return this.whileDrifted(tx, from, group, head, notice);
    const { kind } = judgeCommit(group.epoch, head, await this.commitLog.digestOf(tx, group.mlsGroupId, head.epoch));
    const received = { kind, commitEpoch: head.epoch, digest: head.digest };
    if (group.state === 'left' && (kind === 'accept' || kind === 'gap')) {
      throw new Fault('group.unknown', { group: group.mlsGroupId });
    }
    // what is not the end of an epoch that has passed comes after the ReInit.
    if ((group.state === 'suspended' || group.state === 'superseded') && (kind === 'accept' || kind === 'gap')) {
      throw new Fault('group.closed', { group: group.mlsGroupId });
    }
    // The next admin's server was asked about our own Commit, and may follow that by now: both would follow the other's.
    if (kind === 'accept' && group.submitted && ownerServer(group) === this.config.domain) {
      throw new Fault('commit.undecided', { group: group.mlsGroupId, epoch: head.epoch });
    }
    if (kind === 'gap') await this.early(tx, from, group, head.epoch);
    // What ended with a ReInit does not come back: its address belongs to the successor.
    const mayChange = group.state !== 'suspended' && group.state !== 'superseded';
    const contested = kind === 'stale' && mayChange && (await this.failover.contested(tx, group, from, head.epoch));
    if (kind !== 'accept' && !contested) return { ...received, epoch: group.epoch };
    const standing = contested ? await this.reverting.revert(tx, group, contested) : group;
    const next = await this.follow(tx, from, standing, { ...notice, digest: head.digest });
    return { ...received, kind: 'accept', epoch: next.epoch };
  }

  /**
   * What comes too early is kept, so it is taken from servers only that the group knows. Commits were missed then
   * (OCM-MLS R-112), unless they are on their way still.
   */
  private async early(tx: Tx, from: Host, { mlsGroupId }: Group, upTo: Epoch): Promise<void> {
    const servers = await this.members.servers(tx, mlsGroupId);
    if (!servers.includes(from)) throw new Fault('commit.too-early', { group: mlsGroupId, from });
    await this.gaps.hear(tx, mlsGroupId, upTo, this.clock.now());
  }

  /** No Commit can be followed, and none can be told from another; they are kept until a Welcome brings us back. */
  private async whileDrifted(
    tx: Tx,
    from: Host,
    group: Group,
    head: { readonly epoch: Epoch; readonly digest: CommitDigest },
    { content, proposals }: CommitNotice,
  ): Promise<Received> {
    const received = { commitEpoch: head.epoch, digest: head.digest };
    if (ownerServer(group) !== this.config.domain) {
      const servers = await this.members.servers(tx, group.mlsGroupId);
      if (!servers.includes(from)) throw new Fault('group.drifted', { group: group.mlsGroupId });
      return { ...received, kind: 'gap', epoch: group.epoch, lossy: true };
    }
    const kind = await this.ownReturn.arbitrate(tx, from, group, {
      ...received,
      epoch: head.epoch,
      content,
      proposals,
    });
    return { ...received, kind, epoch: epoch(head.epoch + 1) };
  }

  private async follow(
    tx: Tx,
    from: Host,
    group: Locked<Group>,
    { digest, content, proposals }: CommitNotice & { readonly digest: CommitDigest },
  ): Promise<Locked<Group>> {
    const { mlsGroupId } = group;
    const [owner, here] = [ownerServer(group), this.config.domain];
    if (!adminServers(group).includes(from)) {
      throw new Fault(owner === here ? 'commit.not-from-home' : 'commit.not-from-owner', { from, owner });
    }
    const due = await this.failover.takeoverAt(tx, group, from);
    await this.failover.holdBack(tx, group);
    const { facts, welcome } =
      group.submitted === digest
        ? await this.mls.acceptPending(tx, mlsGroupId, digest)
        : { facts: await this.mls.advance(tx, { mlsGroupId, commit: content, proposals }) };
    const ruling = arbiterOf(facts, { here, from, due, now: this.clock.now() });
    if ('fault' in ruling) throw new Fault(ruling.fault, { from, owner, committer: facts.committer });
    const { arbiter } = ruling;
    const applied = { facts, digest, commit: content, proposals, arbiter, ...(welcome ? { welcome } : {}) };
    const next = await this.epochs.enter(tx, group, applied);
    // Nothing of the group can be read before their Welcome has come.
    const ours = facts.after.members.filter(({ address }) => hostOf(address) === here);
    const replaced = ours.length > 0 && ours.every(({ address }) => facts.added.includes(address));
    if (replaced && next.state === 'active') await this.drifts.begin(tx, next, 'leaves-replaced');
    return next;
  }
}

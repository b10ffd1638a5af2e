import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { type CommitDigest, epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import type { GroupView } from '../mls/group-view.js';
import { StateLossService } from '../mls/state-loss.service.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { broadcast, rejoinLane } from './broadcast.js';
import { ChangeRepository } from './change.repository.js';
import { CommitLogRepository } from './commit-log.repository.js';
import { DoubtRepository } from './doubt.repository.js';
import { type Drift, DriftRepository } from './drift.repository.js';
import { DepartureRepository } from './departure.repository.js';
import { FollowerRepository } from './follower.repository.js';
import { adminServers, type Group, ownerServer } from './group.js';
import { MemberRepository } from './member.repository.js';

/** A Commit whose Welcome does not come stands in the way of others no longer than that. */
const WELCOME_WITHIN_MS = 10 * 60_000;

interface Submitted {
  readonly digest: CommitDigest;
  readonly epoch: Epoch;
  readonly content: Uint8Array;
  readonly proposals: readonly Uint8Array[];
}

/**
 * The Commit by which another admin's server takes this one in again, when this one owns the group: it is arbitrated and
 * broadcast as usual (OCM-MLS R-138), although nobody here can open it. What is accepted is told to nobody before its
 * Welcome has shown that it is good.
 */
@Injectable()
export class OwnReturnService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly drifts: DriftRepository,
    private readonly members: MemberRepository,
    private readonly commitLog: CommitLogRepository,
    private readonly changes: ChangeRepository,
    private readonly doubts: DoubtRepository,
    private readonly followers: FollowerRepository,
    private readonly departures: DepartureRepository,
    private readonly stateLoss: StateLossService,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  /**
   * While the group is drifted. Only one Commit at a time, from the home server of an admin, and only one that adds a
   * KeyPackage which was made for this and shown to admins alone. Throws `group.drifted`, `commit.stale`.
   */
  async arbitrate(tx: Tx, from: Host, group: Group, commit: Submitted): Promise<'accept' | 'duplicate'> {
    const refused = new Fault('group.drifted', { group: group.mlsGroupId });
    const drift = await this.drifts.find(tx, group.mlsGroupId);
    if (!drift || ownerServer(group) !== this.config.domain || !adminServers(group).includes(from)) throw refused;
    const { arbitrated } = drift;
    if (arbitrated?.digest === commit.digest) return 'duplicate';
    const at = this.clock.now();
    if (arbitrated && at.getTime() - arbitrated.at.getTime() < WELCOME_WITHIN_MS) {
      throw new Fault('commit.stale', { epoch: epoch(arbitrated.epoch + 1) });
    }
    const { adds } = await this.stateLoss.readCommit(commit.content);
    if (!drift.keyPackages.some(({ ref }) => adds.includes(ref))) throw refused;
    await this.drifts.save(tx, { ...drift, arbitrated: { ...commit, at } });
    return 'accept';
  }

  /**
   * A Welcome brought the group back to `view`: the Commit that it belongs to is broadcast now. What the log holds of
   * later epochs is of another history.
   * @returns isApart: what was known here from before may be of another history than the group's
   */
  async back(tx: Tx, group: Group, view: GroupView): Promise<{ readonly isApart: boolean }> {
    const { mlsGroupId } = group;
    const drift = await this.drifts.find(tx, mlsGroupId);
    await this.drifts.forget(tx, mlsGroupId);
    await this.outbox.withdraw(tx, { lane: rejoinLane(mlsGroupId), kind: 'MLS_REJOIN', subject: mlsGroupId });
    const facts = { group: mlsGroupId, epoch: view.epoch, since: drift?.since };
    this.log.info({ event: 'group.rejoined', ...facts }, 'a group that was lost is back');
    // The Welcome of the Commit that was followed: all that is known from before is of this history.
    if (drift?.reason === 'leaves-replaced' && view.epoch === group.epoch) return { isApart: false };
    if (drift?.reason === 'backup-restored') await this.followers.forget(tx, mlsGroupId);
    else await this.followers.rewind(tx, mlsGroupId);
    if (drift) await this.doubt(tx, mlsGroupId, drift.since);
    await this.departures.noteUnseen(tx, mlsGroupId);
    await this.forgetHistory(tx, mlsGroupId);
    await this.tellOthers(tx, mlsGroupId, drift, view);
    return { isApart: true };
  }

  /** The Commit by which we are back, when we have accepted it ourselves. */
  private async tellOthers(tx: Tx, mlsGroupId: MlsGroupId, drift: Drift | undefined, view: GroupView): Promise<void> {
    const commit = drift?.arbitrated;
    if (!commit || commit.epoch + 1 !== view.epoch) return;
    const { confirmationTag } = await this.stateLoss.readCommit(commit.content);
    if ((await this.stateLoss.confirmationTag(tx, mlsGroupId)) !== confirmationTag) return;
    const before = (await this.members.of(tx, mlsGroupId)).map(({ address }) => address);
    const told = [...before, ...view.members.map(({ address }) => address)];
    const from = { here: this.config.domain, mlsGroupId };
    for (const letter of broadcast(from, told, { ...commit, commit: commit.content })) {
      await this.outbox.post(tx, letter);
    }
  }

  /** What this server knows of the past, and is about to tell, may be of another history: nobody is to be told. */
  async forgetHistory(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    for (const { digest } of await this.commitLog.digests(tx, mlsGroupId)) {
      await this.outbox.withdraw(tx, { lane: mlsGroupId, kind: 'MLS_COMMIT', subject: digest });
    }
    await this.commitLog.forget(tx, mlsGroupId);
  }

  /** What people here were told is done may have been done in another history. */
  private async doubt(tx: Tx, mlsGroupId: MlsGroupId, lostAt: Date): Promise<void> {
    const log = await this.commitLog.digests(tx, mlsGroupId);
    if (log.length === 0) return;
    const done = await this.changes.doneSince(tx, mlsGroupId, epoch(log[0]!.epoch + 1));
    const commits = log.map(({ epoch: at, digest }) => ({
      epoch: at,
      digest,
      changes: done.filter((change) => change.epoch === at + 1).map(({ id }) => id),
    }));
    const doubted = commits.filter(({ changes }) => changes.length > 0);
    await this.doubts.save(tx, { mlsGroupId, lostAt, commits: doubted, rounds: 0 }, this.clock.now());
  }
}

import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { isFault } from '../kernel/fault.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import { MlsService } from '../mls/mls.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Turn } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { afterCommit, afterRevert } from './change.js';
import { ChangeRepository } from './change.repository.js';
import { type DoubtedCommit, doubtWaitMs, judgeDoubts, MOST_ROUNDS, type Testimony } from './doubt.js';
import { type Doubt, DoubtRepository } from './doubt.repository.js';
import { adminServers, type Group } from './group.js';
import { GroupRepository } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import { MissedCommitsClient } from './missed-commits.client.js';

/**
 * After a group was lost: asks servers that have an admin whether the group followed the Commits by which came true what
 * people of this server asked for. What came true in another history only is carried out once more.
 */
@Injectable()
export class DoubtsWorker implements Turn {
  readonly name = 'groups.doubts';

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly doubts: DoubtRepository,
    private readonly changes: ChangeRepository,
    private readonly members: MemberRepository,
    private readonly missed: MissedCommitsClient,
    private readonly mls: MlsService,
    private readonly audit: AuditLog,
    private readonly log: Log,
  ) {}

  async turn(): Promise<boolean> {
    const claimed = await this.db.runIf(
      (tx) => this.doubts.hasDue(tx, this.clock.now()),
      (tx) => this.claim(tx),
    );
    if (!claimed) return false;
    const { doubt, group } = claimed;
    const said = new Map<Epoch, Testimony>();
    if (group.state === 'active') {
      for (const server of adminServers(group).filter((one) => one !== this.config.domain)) {
        await this.ask(server, group, doubt, said);
      }
    }
    await this.db.run((tx) => this.conclude(tx, doubt, said));
    return true;
  }

  /** Puts the next round off before this one begins, so that a crash or another replica does not repeat it at once. */
  private async claim(tx: Tx): Promise<{ doubt: Doubt; group: Group } | undefined> {
    const now = this.clock.now();
    const due = await this.doubts.due(tx, now);
    if (!due) return undefined;
    const group = (await this.groups.byId(tx, due.mlsGroupId))!;
    // While the group is lost once more nobody is asked.
    const doubt = group.state === 'active' ? { ...due, rounds: due.rounds + 1 } : due;
    await this.doubts.save(tx, doubt, new Date(now.getTime() + doubtWaitMs(due.rounds)));
    return { doubt, group };
  }

  /** The latest first: if the group followed that one it followed them all. */
  private async ask(server: Host, { mlsGroupId, epoch: now }: Group, { commits }: Doubt, said: Map<Epoch, Testimony>) {
    // Who does not say where the group stands now says nothing by its silence about then.
    if (typeof (await this.testify(server, mlsGroupId, now)) === 'string') return;
    for (const { epoch: at, digest } of commits.toReversed()) {
      const testimony = said.get(at) ?? (await this.testify(server, mlsGroupId, at));
      said.set(at, testimony);
      if (testimony === digest) return;
    }
  }

  private async testify(server: Host, group: MlsGroupId, at: Epoch): Promise<Testimony> {
    try {
      const answer = await this.missed.since(server, group, at);
      const first = answer?.commits[0];
      if (!first) return answer ? undefined : 'not-there';
      const head = this.mls.readCommit(first.content);
      return head.mlsGroupId === group && head.epoch === at ? head.digest : undefined;
    } catch (error) {
      if (!isFault(error) || error.code === 'database.unavailable') throw error;
      this.log.warn({ event: 'doubt.not-asked', group, peer: server, code: error.code }, 'old Commits were not had');
      return undefined;
    }
  }

  private async conclude(tx: Tx, doubt: Doubt, said: ReadonlyMap<Epoch, Testimony>): Promise<void> {
    const now = this.clock.now();
    const group = await this.groups.lock(tx, doubt.mlsGroupId);
    if (!group) return;
    const { lost, left } = judgeDoubts(doubt.commits, said);
    if (lost.length > 0) await this.reopen(tx, group, lost);
    const isOver = group.state === 'left' || doubt.rounds >= MOST_ROUNDS;
    if (isOver && left.length > 0) {
      this.log.warn({ event: 'doubt.left', group: doubt.mlsGroupId, commits: left }, 'it is not known what was undone');
    }
    const dueAt = new Date(now.getTime() + doubtWaitMs(doubt.rounds));
    await this.doubts.save(tx, { ...doubt, commits: isOver ? [] : left }, dueAt);
  }

  /** What has come true meanwhile in the group's own history is done. */
  private async reopen(tx: Tx, group: Group, lost: readonly DoubtedCommit[]): Promise<void> {
    const facts = { lost: lost.map(({ digest }) => digest) };
    await this.audit.record(tx, { act: 'epoch.reverted', group, epoch: lost[0]!.epoch, facts });
    const told = { event: 'doubt.lost', group: group.mlsGroupId, epoch: lost[0]!.epoch, ...facts };
    this.log.warn(told, 'Commits were of another history than that of the group');
    const members = new Set((await this.members.of(tx, group.mlsGroupId)).map(({ address }) => address));
    for (const id of lost.flatMap(({ changes }) => changes)) {
      const change = await this.changes.byId(tx, id);
      if (change?.state !== 'done') continue;
      await this.changes.save(tx, afterCommit(afterRevert(change, this.clock.now()), { ...group, members }));
    }
  }
}

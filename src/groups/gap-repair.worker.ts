import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { isFault } from '../kernel/fault.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Turn } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { CommitsService } from './commits.service.js';
import { DriftService } from './drift.service.js';
import { type GapReport, type GapVerdict, gapWaitMs, judgeGap } from './gap.js';
import { type Gap, GapRepository } from './gap.repository.js';
import { adminServers, type Group } from './group.js';
import { GroupRepository } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import type { MissedCommit } from './missed-commits.js';
import { MissedCommitsClient } from './missed-commits.client.js';

/** A group that lacks Commits, and where it stood when the asking began. */
interface Claimed {
  readonly gap: Gap;
  readonly group: Group;
  /** Those with members, as far as it knows. */
  readonly servers: readonly Host[];
}

/**
 * Fetches Commits that were missed from one admin server after the other, and from the other member servers when none
 * of these can give them (D-11, decision 35). Each is judged as if its arbiter had just brought it; mail that waited for
 * them follows by itself. OCM-MLS
 */
@Injectable()
export class GapRepairWorker implements Turn {
  readonly name = 'groups.gap-repair';

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly gaps: GapRepository,
    private readonly commits: CommitsService,
    private readonly drifts: DriftService,
    private readonly missed: MissedCommitsClient,
    private readonly log: Log,
  ) {}

  async turn(): Promise<boolean> {
    const claimed = await this.db.runIf(
      (tx) => this.gaps.hasDue(tx, this.clock.now()),
      (tx) => this.claim(tx),
    );
    if (!claimed || claimed === 'closed') return claimed === 'closed';
    const { gap, group, servers } = claimed;
    const admins = adminServers(group);
    const reports = await this.askAll(admins, gap);
    const others = servers.filter((server) => !admins.includes(server));
    const further = judgeGap(reports, gap.rounds) === 'drifted' ? await this.askAll(others, gap) : [];
    await this.db.run((tx) =>
      this.conclude(tx, claimed, judgeGap(reports, gap.rounds, further), [...reports, ...further]),
    );
    return true;
  }

  /** Puts the next round off before this one begins, so that a crash or another replica does not repeat it at once. */
  private async claim(tx: Tx): Promise<Claimed | 'closed' | undefined> {
    const now = this.clock.now();
    const gap = await this.gaps.due(tx, now);
    if (!gap) return undefined;
    const group = await this.groups.byId(tx, gap.mlsGroupId);
    if (group?.state !== 'active' || group.epoch >= gap.upTo) {
      await this.gaps.forget(tx, gap.mlsGroupId);
      return 'closed';
    }
    const again = { ...gap, rounds: gap.rounds + 1 };
    await this.gaps.putOff(tx, again, new Date(now.getTime() + gapWaitMs(gap.rounds)));
    return { gap: again, group, servers: await this.members.servers(tx, gap.mlsGroupId) };
  }

  /** One after the other, until nothing is missed any more. */
  private async askAll(servers: readonly Host[], { mlsGroupId, upTo }: Gap): Promise<GapReport[]> {
    const reports: GapReport[] = [];
    for (const server of servers.filter((one) => one !== this.config.domain)) {
      reports.push(await this.ask(server, mlsGroupId));
      if ((await this.standing(mlsGroupId)) >= upTo) break;
    }
    return reports;
  }

  /** Takes what the server has, as long as it leads on. */
  private async ask(server: Host, mlsGroupId: MlsGroupId): Promise<GapReport> {
    for (let at = await this.standing(mlsGroupId); ;) {
      const missed = await this.fetch(server, mlsGroupId, at);
      if (typeof missed === 'string') return missed;
      for (const commit of missed.commits) if (!(await this.follow(server, mlsGroupId, commit))) break;
      const now = await this.standing(mlsGroupId);
      if (now >= missed.epoch) return 'level';
      if (now === at) return 'ahead';
      at = now;
    }
  }

  private async fetch(server: Host, group: MlsGroupId, at: Epoch) {
    try {
      return (await this.missed.since(server, group, at)) ?? 'unknown';
    } catch (error) {
      if (!isFault(error) || error.code === 'database.unavailable') throw error;
      this.log.warn({ event: 'gap.not-asked', group, peer: server, code: error.code }, 'missed Commits were not had');
      return 'silent';
    }
  }

  /** False when it cannot be followed: what comes after it cannot either. */
  private async follow(server: Host, group: MlsGroupId, { arbiter, content, proposals }: MissedCommit) {
    try {
      const { kind } = await this.commits.receive(arbiter, { mlsGroupId: group, content, proposals });
      // Others have it from us, who do not know of it: what else was sent since is not known here, either (D-31).
      if (kind === 'accept' && arbiter === this.config.domain) {
        await this.drifts.lose(group, 'own-arbitration-unknown');
      }
      return kind === 'accept' || kind === 'duplicate';
    } catch (error) {
      if (!isFault(error) || error.retry) throw error;
      const facts = { event: 'gap.commit-refused', group, peer: server, arbiter, code: error.code, err: error };
      this.log.warn(facts, 'a Commit that was missed is refused');
      return false;
    }
  }

  private async standing(mlsGroupId: MlsGroupId): Promise<Epoch> {
    const group = await this.db.statement((tx) => this.groups.byId(tx, mlsGroupId));
    return group!.epoch;
  }

  private async conclude(
    tx: Tx,
    { gap, group: before }: Claimed,
    verdict: GapVerdict,
    reports: readonly GapReport[],
  ): Promise<void> {
    const { mlsGroupId } = gap;
    const group = await this.groups.lock(tx, mlsGroupId);
    const upTo = await this.gaps.upTo(tx, mlsGroupId);
    if (group?.state !== 'active' || upTo === undefined || group.epoch >= upTo) {
      this.log.info({ event: 'gap.closed', group: mlsGroupId, epoch: group?.epoch }, 'no Commits are missed any more');
      return this.gaps.forget(tx, mlsGroupId);
    }
    const now = this.clock.now();
    // Other admins may be there now, and can be asked at once.
    if (group.epoch > before.epoch) return this.gaps.putOff(tx, { ...gap, rounds: 0 }, now);
    const facts = { event: `gap.${verdict}`, group: mlsGroupId, epoch: group.epoch, upTo, reports };
    this.log.warn(facts, 'others were asked for missed Commits');
    if (verdict === 'forget') await this.gaps.forget(tx, mlsGroupId);
    if (verdict === 'drifted') await this.drifts.begin(tx, group, 'commits-missing');
  }
}

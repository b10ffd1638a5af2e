import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import type { MlsGroupId } from '../kernel/ids.js';
import { type FreshKeyPackage, StateLossService } from '../mls/state-loss.service.js';
import { ownCode } from '../outbox/answer.js';
import type { TakenAnswer } from '../outbox/letter.js';
import { Outbox } from '../outbox/outbox.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Turn } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { REJOINING, rejoinTo } from './broadcast.js';
import {
  askable,
  isDenial,
  KEY_PACKAGES_GOOD_MS,
  namedServers,
  ownMembers,
  rejoinWaitMs,
  wasRemoved,
} from './drift.js';
import { type Drift, DriftRepository } from './drift.repository.js';
import { EpochsService } from './epochs.service.js';
import type { Group } from './group.js';
import { GroupRepository } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import { OwnReturnService } from './own-return.service.js';

/** Asks the admins of groups that this server lost to take its users in again, until a Welcome comes. */
@Injectable()
export class RejoiningWorker implements Turn {
  readonly name = REJOINING;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly drifts: DriftRepository,
    private readonly ownReturn: OwnReturnService,
    private readonly epochs: EpochsService,
    private readonly stateLoss: StateLossService,
    private readonly outbox: Outbox,
    private readonly audit: AuditLog,
    private readonly log: Log,
  ) {}

  turn(): Promise<boolean> {
    const look = async (tx: Tx) =>
      (await this.outbox.hasAnswer(tx, REJOINING)) ||
      (await this.drifts.due(tx, this.clock.now(), 'look')) !== undefined;
    return this.db.runIf(look, async (tx) => {
      const answer = await this.outbox.takeAnswer(tx, REJOINING);
      if (answer) {
        await this.hear(tx, answer);
        return true;
      }
      const due = await this.drifts.due(tx, this.clock.now());
      if (due === undefined) return false;
      const group = await this.groups.lock(tx, due);
      const drift = await this.drifts.find(tx, due);
      if (group?.state === 'drifted' && drift) await this.ask(tx, group, drift);
      else await this.drifts.forget(tx, due);
      return true;
    });
  }

  /** What an admin server says of a request. When all deny it the group goes on without us. */
  private async hear(tx: Tx, { subject, to, outcome, body }: TakenAnswer): Promise<void> {
    const mlsGroupId = subject as MlsGroupId;
    const group = await this.groups.lock(tx, mlsGroupId);
    const drift = await this.drifts.find(tx, mlsGroupId);
    if (group?.state !== 'drifted' || !drift) return;
    const others = drift.deniedBy.filter((server) => server !== to);
    const code = outcome === 'refused' ? ownCode(body) : undefined;
    const unknown = code === 'rejoin.not-member' ? await this.unknownMembers(tx, body, drift) : [];
    if (unknown.length > 0) {
      const now = this.clock.now();
      const keyPackages = [...drift.keyPackages, ...unknown];
      return this.drifts.save(tx, { ...drift, keyPackages, offeredAt: drift.offeredAt ?? now, dueAt: now });
    }
    const deniedBy = isDenial(code) ? [...others, to] : others;
    const named = code === 'rejoin.not-admin-server' ? namedServers(body, this.config.domain) : [];
    const asked = askable(group, drift, this.config.domain);
    const news = named.filter((server) => !asked.includes(server));
    if (news.length > 0) {
      return this.drifts.save(tx, { ...drift, deniedBy, named: [...drift.named, ...news], dueAt: this.clock.now() });
    }
    if (!wasRemoved(code, { ...drift, deniedBy }, asked)) {
      return this.drifts.save(tx, { ...drift, deniedBy });
    }
    const { epoch } = group;
    await this.epochs.standAt(tx, group, { ...group, members: [] });
    await this.drifts.forget(tx, mlsGroupId);
    await this.ownReturn.forgetHistory(tx, mlsGroupId);
    const facts = { epoch, since: drift.since, deniedBy };
    await this.audit.record(tx, { act: 'group.removed', actor: to, group, epoch, facts: { deniedBy } });
    this.log.warn(
      { event: 'group.removed', group: mlsGroupId, ...facts },
      'we were removed from a group that was lost',
    );
  }

  /** Users of ours whom the group took in, and of whom it is not known here: that was in a history that was given up. */
  private async unknownMembers(tx: Tx, body: unknown, { keyPackages }: Drift): Promise<FreshKeyPackage[]> {
    const known = new Set(keyPackages.map(({ userId }) => userId));
    const said = ownMembers(body, this.config.domain).filter((user) => !known.has(user));
    return this.stateLoss.freshKeyPackages(tx, said);
  }

  /** To the home server of every admin; a server cannot take itself in. OCM-MLS R-125 */
  private async ask(tx: Tx, group: Group, drift: Drift): Promise<void> {
    const now = this.clock.now();
    const servers = askable(group, drift, this.config.domain);
    const facts = { group: group.mlsGroupId, reason: drift.reason, since: drift.since, rounds: drift.rounds };
    if (servers.length === 0) {
      this.log.error({ event: 'group.lost', ...facts }, 'no other server has an admin: nobody can take us in again');
    }
    const offer = await this.offer(tx, group, drift);
    const from = { here: this.config.domain, mlsGroupId: group.mlsGroupId };
    for (const letter of rejoinTo(from, servers, offer.keyPackages)) await this.outbox.post(tx, letter);
    const dueAt = new Date(now.getTime() + rejoinWaitMs(drift.rounds));
    await this.drifts.save(tx, { ...drift, ...offer, rounds: drift.rounds + 1, dueAt });
    this.log.info({ event: 'rejoin.asked', ...facts, servers }, 'the admins are asked to take this server in again');
  }

  /** The same KeyPackages again for a day: an admin knows by them what was asked before. OCM-MLS R-126 */
  private async offer(tx: Tx, { mlsGroupId }: Group, { keyPackages, offeredAt }: Drift) {
    const now = this.clock.now();
    const isGood = offeredAt && now.getTime() - offeredAt.getTime() < KEY_PACKAGES_GOOD_MS;
    if (isGood) return { keyPackages, offeredAt };
    const known = await this.members.ofServer(tx, mlsGroupId, this.config.domain);
    const users = new Set([...known, ...keyPackages.map(({ userId }) => userId)]);
    return { keyPackages: await this.stateLoss.freshKeyPackages(tx, [...users]), offeredAt: now };
  }
}

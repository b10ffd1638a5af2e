import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { StateLossService } from '../mls/state-loss.service.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Turn } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { rejoinTo } from './broadcast.js';
import { KEY_PACKAGES_GOOD_MS, rejoinWaitMs } from './drift.js';
import { type Drift, DriftRepository, type OfferedKeyPackage } from './drift.repository.js';
import { REJOINING } from './drift.service.js';
import { adminServers, type Group } from './group.js';
import { GroupRepository } from './group.repository.js';
import { MemberRepository } from './member.repository.js';

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
    private readonly stateLoss: StateLossService,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  turn(): Promise<boolean> {
    return this.db.run(async (tx) => {
      const due = await this.drifts.due(tx, this.clock.now());
      if (due === undefined) return false;
      const group = await this.groups.lock(tx, due);
      const drift = await this.drifts.find(tx, due);
      if (group?.state === 'drifted' && drift) await this.ask(tx, group, drift);
      else await this.drifts.forget(tx, due);
      return true;
    });
  }

  /** To the home server of every admin; a server cannot take itself in. OCM-MLS R-125 */
  private async ask(tx: Tx, group: Group, drift: Drift): Promise<void> {
    const now = this.clock.now();
    const servers = adminServers(group).filter((server) => server !== this.config.domain);
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
    const fresh: OfferedKeyPackage[] = [];
    for (const userId of await this.members.ofServer(tx, mlsGroupId, this.config.domain)) {
      const made = await this.stateLoss.freshKeyPackage(tx, userId);
      if (made) fresh.push({ userId, ...made });
    }
    return { keyPackages: fresh, offeredAt: now };
  }
}

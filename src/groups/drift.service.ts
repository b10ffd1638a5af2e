import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import { epoch, type MlsGroupId } from '../kernel/ids.js';
import { MlsService } from '../mls/mls.service.js';
import { StateLossService } from '../mls/state-loss.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { REJOINING } from './broadcast.js';
import { ChangeRepository } from './change.repository.js';
import { type DriftReason, firstAsked, signOfDrift } from './drift.js';
import { DriftRepository } from './drift.repository.js';
import { FailoverService } from './failover.service.js';
import { GapRepository } from './gap.repository.js';
import { type Group, ownerServer } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { QueuedProposalRepository } from './queued-proposal.repository.js';
import { RejoinRequestRepository } from './rejoin-request.repository.js';

/** The state of a group is lost: it is discarded, and the way back begins. OCM-MLS */
@Injectable()
export class DriftService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly drifts: DriftRepository,
    private readonly gaps: GapRepository,
    private readonly changes: ChangeRepository,
    private readonly queued: QueuedProposalRepository,
    private readonly rejoins: RejoinRequestRepository,
    private readonly failover: FailoverService,
    private readonly mls: MlsService,
    private readonly stateLoss: StateLossService,
    private readonly audit: AuditLog,
    private readonly poller: Poller,
    private readonly log: Log,
  ) {}

  /**
   * After the transaction in which a Commit could not be followed. Whatever it says of our state, it was refused, and it
   * stays refused.
   */
  async noticed(from: Host, commit: Uint8Array, error: unknown): Promise<void> {
    if (!isFault(error)) return;
    const { code } = error;
    if (!signOfDrift(code, { here: this.config.domain, owner: from, from })) return;
    const head = this.mls.readCommit(commit);
    await this.db.run(async (tx) => {
      const group = await this.groups.lock(tx, head.mlsGroupId);
      if (group?.state !== 'active' || group.epoch !== head.epoch) return;
      const sign = signOfDrift(code, { here: this.config.domain, owner: ownerServer(group), from });
      if (sign === 'suspect') {
        await this.gaps.hear(tx, group.mlsGroupId, epoch(group.epoch + 1), this.clock.now(), 0);
      } else if (sign) await this.begin(tx, group, sign);
    });
  }

  /**
   * After a message was refused because it came too early: Commits may be missing here. Whoever says so, only the admin
   * servers are asked. OCM-MLS R-112
   */
  async ahead(mlsGroupId: MlsGroupId): Promise<void> {
    await this.db.run(async (tx) => {
      const group = await this.groups.lock(tx, mlsGroupId);
      if (group?.state !== 'active') return;
      await this.gaps.hear(tx, mlsGroupId, epoch(group.epoch + 1), this.clock.now());
    });
  }

  /** When the group stands where it was seen to be worth nothing. */
  async lose(mlsGroupId: MlsGroupId, reason: DriftReason): Promise<void> {
    await this.db.run(async (tx) => {
      const group = await this.groups.lock(tx, mlsGroupId);
      if (group?.state === 'active') await this.begin(tx, group, reason);
    });
  }

  /**
   * The group row, the roster and the last Group Key stay, so that what was shared goes on being served (OCM-MLS R-139).
   * What is asked for meanwhile waits.
   */
  async begin(tx: Tx, group: Locked<Group>, reason: DriftReason): Promise<void> {
    if (group.state !== 'active') throw new Fault('internal', { what: 'only an active group drifts', ...group });
    const { mlsGroupId, epoch: at } = group;
    const now = this.clock.now();
    await this.stateLoss.discard(tx, mlsGroupId);
    await this.failover.giveUp(tx, group);
    await this.queued.forgetBefore(tx, mlsGroupId, epoch(at + 1));
    await this.rejoins.forgetBefore(tx, mlsGroupId, now);
    await this.gaps.forget(tx, mlsGroupId);
    for (const change of await this.changes.open(tx, mlsGroupId)) {
      if (change.state !== 'committing') continue;
      const { digest: _, ...free } = change;
      await this.changes.save(tx, { ...free, state: 'prepared' });
    }
    const { submitted: _, quietUntil: __, ...rest } = group;
    await this.groups.save(tx, group, { ...rest, state: 'drifted' }, now);
    await this.drifts.save(tx, {
      mlsGroupId,
      reason,
      since: now,
      keyPackages: [],
      rounds: 0,
      dueAt: firstAsked(reason, now),
      deniedBy: [],
      named: [],
    });
    await this.audit.record(tx, {
      act: 'group.drifted',
      actor: this.config.domain,
      group,
      epoch: at,
      facts: { reason },
    });
    const level = reason === 'leaves-replaced' ? 'info' : 'error';
    this.log[level]({ event: 'group.drifted', group: mlsGroupId, epoch: at, reason }, 'the state of a group is lost');
    this.db.afterCommit(tx, () => this.poller.wake(REJOINING));
  }
}

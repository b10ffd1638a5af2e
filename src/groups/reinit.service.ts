import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { epoch, type MlsGroupId } from '../kernel/ids.js';
import type { GroupView } from '../mls/group-view.js';
import { SuccessionService } from '../mls/succession.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { ChangeRepository } from './change.repository.js';
import { CommitLogRepository } from './commit-log.repository.js';
import { EpochsService } from './epochs.service.js';
import type { Group } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import { QueuedProposalRepository } from './queued-proposal.repository.js';
import { KEPT_MS, makerAt, rankCreator, type Reinit } from './reinit.js';
import { ReinitRepository } from './reinit.repository.js';
import { SuccessorKeyPackageRepository } from './successor-key-package.repository.js';

/** In which all members are let into a successor. */
const FIRST_EPOCH = epoch(1);

/** A group that ended here with a ReInit. */
export interface Ended {
  readonly group: Locked<Group>;
  readonly reinit: Reinit;
}

/** How a group goes on as its successor: under the same address, with its changes, shares and grants. */
@Injectable()
export class ReinitService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly changes: ChangeRepository,
    private readonly commitLog: CommitLogRepository,
    private readonly queued: QueuedProposalRepository,
    private readonly reinits: ReinitRepository,
    private readonly keyPackages: SuccessorKeyPackageRepository,
    private readonly epochs: EpochsService,
    private readonly succession: SuccessionService,
    private readonly audit: AuditLog,
    private readonly log: Log,
  ) {}

  /** The group that announced this successor, locked before the successor itself, as everywhere. */
  async lockOrigin(tx: Tx, successor: MlsGroupId): Promise<Ended | undefined> {
    const origin = await this.reinits.originOf(tx, successor);
    const group = origin && (await this.groups.lock(tx, origin));
    const reinit = group && (await this.reinits.of(tx, group.mlsGroupId));
    return group && reinit && { group, reinit };
  }

  /** Whether what `creator` made is joined. Throws `welcome.outranked`. OCM-MLS R-149 */
  rank({ group, reinit }: Ended, creator: OcmAddress): 'join' | 'replace' {
    return rankCreator(group.admins, reinit.creator, creator);
  }

  /** The admin of ours who makes the successor of a suspended group: who committed the ReInit, or who is listed first. */
  async maker(tx: Tx, { mlsGroupId, admins }: Group): Promise<OcmAddress | undefined> {
    const last = await this.commitLog.latest(tx, mlsGroupId);
    return makerAt(this.config.domain, admins, last?.committer);
  }

  /** Creates the successor and invites all members. OCM-MLS */
  async make(tx: Tx, { group, reinit }: Ended, maker: OcmAddress): Promise<void> {
    await this.groups.claim(tx, reinit.successor);
    const { mlsGroupId } = group;
    const members = await this.keyPackages.of(tx, mlsGroupId, maker);
    const { view, welcome } = await this.succession.create(tx, { mlsGroupId, creator: maker, members });
    await this.follow(tx, { group, reinit }, undefined, view, maker);
    const invited = members.map(({ address }) => address);
    if (welcome) await this.epochs.invite(tx, view.mlsGroupId, invited, welcome);
  }

  /**
   * Our users are in the successor that `creator` made. The first time the address is bound to it, the only case in which
   * that changes (OCM-MLS R-152); a successor that was made by an admin listed later ends with all that happened in it
   * . Either way it is a higher instance of the group (D-18).
   * @param joined the successor as it was known here
   */
  async follow(
    tx: Tx,
    { group, reinit }: Ended,
    joined: Locked<Group> | undefined,
    view: GroupView,
    creator: OcmAddress,
  ): Promise<void> {
    if (joined && reinit.creator === creator) return;
    const next = joined ? await this.begin(tx, joined) : await this.rebind(tx, group, view);
    await this.epochs.standAt(tx, next, view);
    const { dueAt: _, makesAt: __, ...rest } = reinit;
    const overAt = new Date(this.clock.now().getTime() + KEPT_MS);
    await this.reinits.put(tx, { ...rest, creator, overAt });
    await this.keyPackages.removeAll(tx, group.mlsGroupId);
    const facts = { group: view.mlsGroupId, address: view.address, origin: group.mlsGroupId, creator };
    this.log.info({ event: 'group.reinitialised', ...facts }, 'a group goes on as its successor');
    await this.audit.record(tx, {
      act: 'group.reinitialised',
      actor: creator,
      group: view,
      epoch: view.epoch,
      facts: { origin: group.mlsGroupId },
    });
  }

  /** Ends what is left of one old group whose time is over, and says whether there was one. OCM-MLS section 7.7 */
  async finishNext(): Promise<boolean> {
    const look = (tx: Tx) => this.reinits.nextOver(tx, this.clock.now());
    return this.db.runIf(look, async (tx) => {
      const over = await this.reinits.nextOver(tx, this.clock.now());
      const group = over && (await this.groups.lock(tx, over.mlsGroupId));
      if (!group) return false;
      await this.succession.forget(tx, group.mlsGroupId);
      await this.reinits.remove(tx, over);
      return true;
    });
  }

  /** The address belongs to its successor from now on, which is a higher instance. OCM-MLS R-152, D-18 */
  async rebind(tx: Tx, old: Locked<Group>, { mlsGroupId, epoch: at, admins }: GroupView): Promise<Locked<Group>> {
    if (old.state === 'superseded') throw new Fault('group.closed', { group: old.mlsGroupId });
    const now = this.clock.now();
    const { submitted: _, quietUntil: __, ...rest } = old;
    await this.groups.save(tx, old, { ...rest, state: 'superseded' }, now);
    await this.members.replace(tx, old.mlsGroupId, [], now);
    const { address, instance } = old;
    const next = {
      mlsGroupId,
      address,
      epoch: at,
      admins,
      state: 'active',
      instance: instance + 1,
      history: 0,
    } as const;
    const group = await this.groups.add(tx, next, now);
    await this.changes.move(tx, old.mlsGroupId, mlsGroupId, now);
    return group;
  }

  /** The same `group_id` anew: of what another creator made of it nothing stays. */
  private async begin(tx: Tx, joined: Locked<Group>): Promise<Locked<Group>> {
    const { mlsGroupId } = joined;
    const now = this.clock.now();
    await this.commitLog.forget(tx, mlsGroupId);
    await this.queued.forgetBefore(tx, mlsGroupId, epoch(joined.epoch + 1));
    await this.changes.reopenAfter(tx, mlsGroupId, FIRST_EPOCH, now);
    await this.members.replace(tx, mlsGroupId, [], now);
    return this.groups.save(tx, joined, { ...joined, instance: joined.instance + 1 }, now);
  }
}

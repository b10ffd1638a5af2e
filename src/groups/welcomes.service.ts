import { Injectable } from '@nestjs/common';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, type FaultCode, isFault } from '../kernel/fault.js';
import { epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import type { GroupView } from '../mls/group-view.js';
import type { Joined as Welcomed, Joining } from '../mls/joining.service.js';
import { MlsService } from '../mls/mls.service.js';
import { StateLossService } from '../mls/state-loss.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { CommitLogRepository } from './commit-log.repository.js';
import { askable } from './drift.js';
import { DriftRepository } from './drift.repository.js';
import { DriftService } from './drift.service.js';
import { EpochsService } from './epochs.service.js';
import { FailoverService } from './failover.service.js';
import { GapRepository } from './gap.repository.js';
import { adminServers, type Group } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import { LeavingService } from './leaving.service.js';
import { ReinitService } from './reinit.service.js';
import { OwnReturnService } from './own-return.service.js';

export interface WelcomeNotice {
  readonly mlsGroupId: MlsGroupId;
  readonly userId: OcmAddress;
  readonly content: Uint8Array;
}

/** `waits`: the Commit that this Welcome belongs to is not here yet; keep it until `epoch`. */
export type Joined = { readonly kind: 'joined' } | { readonly kind: 'waits'; readonly epoch: Epoch };

/** What joining fails with when the Welcome and the group here do not belong together. */
const OF_ANOTHER_HISTORY: readonly FaultCode[] = [
  'welcome.apart',
  'welcome.member-already',
  'welcome.unreachable',
  'commit.unauthentic',
];

/** Nothing here hangs on the binding of a group that was left; against strangers it holds all the same. OCM-MLS R-109 */
const mayBeSuccessor = (left: Group, from: Host): boolean => left.state === 'left' && adminServers(left).includes(from);

/** Users of this server who are taken into groups. */
@Injectable()
export class WelcomesService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly commitLog: CommitLogRepository,
    private readonly gaps: GapRepository,
    private readonly failover: FailoverService,
    private readonly epochs: EpochsService,
    private readonly drifts: DriftService,
    private readonly driftRows: DriftRepository,
    private readonly reinits: ReinitService,
    private readonly ownReturn: OwnReturnService,
    private readonly leaving: LeavingService,
    private readonly mls: MlsService,
    private readonly stateLoss: StateLossService,
    private readonly audit: AuditLog,
    private readonly log: Log,
  ) {}

  /**
   * Joins. Throws what `MlsService.join` refuses with, `welcome.wrong-group` (OCM-MLS R-101), `welcome.not-from-admin`,
   * `welcome.undecided`, `welcome.address-bound`, `welcome.address-not-minted` (D-16), `welcome.not-asked`,
   * `commit.too-early`, and `welcome.outranked` for a successor; then nothing has changed, and the KeyPackage is
   * still good.
   */
  async receive(from: Host, notice: WelcomeNotice): Promise<Joined> {
    try {
      return await this.db.run((tx) => this.receiveIn(tx, from, notice));
    } catch (error) {
      if (!isFault(error, 'welcome.member-already')) throw error;
      const led = { epoch: epoch(Number(error.facts['epoch'])), tag: String(error.facts['tag']) };
      if (!(await this.isHistoryOver(from, notice, led))) throw error;
      await this.drifts.lose(notice.mlsGroupId, 'invited-anew');
      throw new Fault('welcome.undecided', { group: notice.mlsGroupId, fault: error.code }, error);
    }
  }

  /**
   * An admin whom we know invites a user again who is a member here: then the Commits that we followed were taken back,
   * and there is nothing here to go back to. Unless the Welcome belongs to a Commit that we followed, or is of a time
   * before we came back to the group. OCM-MLS R-093
   */
  private isHistoryOver(
    from: Host,
    { mlsGroupId }: WelcomeNotice,
    led: { readonly epoch: Epoch; readonly tag: string },
  ): Promise<boolean> {
    return this.db.run(async (tx) => {
      const group = await this.groups.byId(tx, mlsGroupId);
      if (group?.state !== 'active' || !adminServers(group).includes(from)) return false;
      if (led.epoch === group.epoch) return (await this.stateLoss.confirmationTag(tx, mlsGroupId)) !== led.tag;
      const followed = await this.commitLog.find(tx, mlsGroupId, epoch(led.epoch - 1));
      if (followed) return (await this.stateLoss.readCommit(followed.commit)).confirmationTag !== led.tag;
      const [first] = await this.commitLog.digests(tx, mlsGroupId);
      return group.history === 0 || led.epoch >= (first?.epoch ?? group.epoch);
    });
  }

  private async receiveIn(tx: Tx, from: Host, { mlsGroupId, userId, content }: WelcomeNotice): Promise<Joined> {
    // Locked before the MLS state, as everywhere: whoever changes a group takes its row first.
    const ended = await this.reinits.lockOrigin(tx, mlsGroupId);
    await this.groups.claim(tx, mlsGroupId);
    const group = await this.groups.lock(tx, mlsGroupId);
    // What the log of a lost group holds may be of another history.
    const lost = group?.state === 'drifted';
    const since = async (at: Epoch) => (lost ? [] : this.commitLog.since(tx, mlsGroupId, at));
    const rank = ended && ((creator: OcmAddress) => this.reinits.rank(ended, creator));
    const joining = { userId, welcome: content, advised: mlsGroupId, since, ...(rank && { rank }) };
    const { view, ready, inviters, creator } = await this.join(tx, mlsGroupId, joining);
    if (view.mlsGroupId !== mlsGroupId) throw new Fault('welcome.wrong-group', { advised: mlsGroupId });
    if (!ready) return this.wait(tx, from, view);
    const mayInvite = creator === undefined ? inviters : [creator];
    if (mayInvite?.every((admin) => hostOf(admin) !== from)) throw new Fault('welcome.not-from-admin', { from });
    if (creator === undefined) await this.bind(tx, from, group, view);
    else if (ended) await this.reinits.follow(tx, ended, group, view, creator);
    else throw new Fault('welcome.origin-unknown', { group: mlsGroupId });
    await this.audit.record(tx, { act: 'group.joined', actor: from, subject: userId, group: view, epoch: view.epoch });
    this.log.info(
      { event: 'group.joined', group: mlsGroupId, user: userId, epoch: view.epoch },
      'a user joined a group',
    );
    await this.leaving.afterJoin(tx, mlsGroupId, userId);
    return { kind: 'joined' };
  }

  /** While the group may still go back, a Welcome of another history may be of the one that it turns to. */
  private async join(tx: Tx, mlsGroupId: MlsGroupId, joining: Joining): Promise<Welcomed> {
    try {
      return await this.mls.join(tx, joining);
    } catch (error) {
      const apart = isFault(error) && OF_ANOTHER_HISTORY.includes(error.code);
      if (!apart || !(await this.failover.mayGoBack(tx, { mlsGroupId }))) throw error;
      throw new Fault('welcome.undecided', { group: mlsGroupId, fault: error.code }, error);
    }
  }

  /** What comes too early is kept, so it is taken from servers only that the group knows. */
  private async wait(tx: Tx, from: Host, { mlsGroupId, epoch }: GroupView): Promise<Joined> {
    if (!(await this.members.servers(tx, mlsGroupId)).includes(from)) {
      throw new Fault('commit.too-early', { group: mlsGroupId, from });
    }
    await this.gaps.hear(tx, mlsGroupId, epoch, this.clock.now());
    return { kind: 'waits', epoch };
  }

  /**
   * OCM-MLS R-108: the address is learnt from the GroupContext; D-16: the first binding of an address wins. Who left a
   * group saw nothing of its successor, and may be invited into that by an admin of then.
   */
  private async bind(tx: Tx, from: Host, known: Locked<Group> | undefined, view: GroupView): Promise<void> {
    const { mlsGroupId, address, epoch, admins } = view;
    if (known) {
      if (known.address !== address) throw new Fault('welcome.address-bound', { address });
      if (known.state === 'drifted') return this.back(tx, from, known, view);
      if (epoch < known.epoch) throw new Fault('welcome.unreachable', { epoch });
      // One more leaf changes nothing of the group, nor of a Commit of ours that waits for its answer.
      if (known.state === 'left' || epoch > known.epoch) await this.epochs.standAt(tx, known, view);
      return;
    }
    const holder = await this.groups.byAddress(tx, address);
    const bound = holder && (await this.groups.lock(tx, holder.mlsGroupId));
    if (!bound && hostOf(address) === this.config.domain) throw new Fault('welcome.address-not-minted', { address });
    if (bound && !mayBeSuccessor(bound, from)) throw new Fault('welcome.address-bound', { address });
    const first = { mlsGroupId, address, epoch, admins, state: 'active', instance: 1, history: 0 } as const;
    const group = await (bound ? this.reinits.rebind(tx, bound, view) : this.groups.add(tx, first, this.clock.now()));
    await this.audit.record(tx, { act: 'address.bound', actor: from, group, epoch });
    await this.epochs.standAt(tx, group, view);
  }

  /**
   * A lost group cannot tell a Welcome to itself from one to a forgery of itself, so it is taken from a server only that
   * was asked. When the others' leaves were renewed is not known then. OCM-MLS R-138
   */
  private async back(tx: Tx, from: Host, known: Locked<Group>, view: GroupView): Promise<void> {
    const drift = await this.driftRows.find(tx, known.mlsGroupId);
    if (!askable(known, drift, this.config.domain).includes(from)) throw new Fault('welcome.not-asked', { from });
    const { isApart } = await this.ownReturn.back(tx, known, view);
    const updated = view.members.map(({ address }) => address);
    const back = { ...known, history: known.history + (isApart ? 1 : 0) } as Locked<Group>;
    await this.epochs.standAt(tx, back, view, { added: [], updated });
  }
}

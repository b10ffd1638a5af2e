import { Injectable } from '@nestjs/common';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { ProposalKind } from '../mls/epoch.js';
import { MlsService } from '../mls/mls.service.js';
import { Config } from '../platform/config.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { asksOf } from './approval.js';
import { ApprovalQueue } from './approval-queue.service.js';
import { adminServers, type Group } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { type QueuedProposal, QueuedProposalRepository } from './queued-proposal.repository.js';

/** Time that each admin server leaves to the one before it, so that they do not race for the same Commit. */
const GRACE_MS = 10 * 60_000;

/** Updates of one moment are waited for, so that all of them cost one epoch. OCM-MLS section 7.5 */
export const GATHERING_MS = 2 * 60_000;
/** OCM-MLS section 7.2 */
const NEED_APPROVAL: readonly ProposalKind[] = ['add', 'remove', 'admin-set', 'reinit'];

/** The name of the worker that makes this server's Commits. */
export const COMMITTING = 'groups.committing';

/** Proposals sent to this server because an admin is at home here. */
@Injectable()
export class ProposalsService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly queued: QueuedProposalRepository,
    private readonly approvals: ApprovalQueue,
    private readonly mls: MlsService,
    private readonly poller: Poller,
  ) {}

  /**
   * Takes a proposal of a member of the sending server; the same again changes nothing. Throws `proposal.wrong-group`
   * (OCM-MLS R-101), `group.unknown`, `group.left`, `group.closed`, `group.drifted`, `proposal.not-from-home`, and what
   * `queue` and the policy refuse.
   */
  async receive(from: Host, notice: { readonly mlsGroupId: MlsGroupId; readonly content: Uint8Array }): Promise<void> {
    await this.db.run(async (tx) => {
      const group = await this.groups.lock(tx, notice.mlsGroupId);
      if (!group) throw new Fault('group.unknown', { group: notice.mlsGroupId });
      // For good: a Welcome that brings us back may stand behind it in the same lane.
      if (group.state === 'left') throw new Fault('group.left', { group: notice.mlsGroupId });
      if (group.state === 'suspended' || group.state === 'superseded') {
        throw new Fault('group.closed', { group: notice.mlsGroupId });
      }
      if (group.state === 'drifted') throw new Fault('group.drifted', { group: notice.mlsGroupId });
      const { sender } = await this.queue(tx, group, notice.content);
      if (hostOf(sender) !== from) throw new Fault('proposal.not-from-home', { from, sender });
      // What was to be left in peace may have changed by this.
      if (group.quietUntil && !group.submitted)
        await this.groups.save(tx, group, withoutQuiet(group), this.clock.now());
      this.db.afterCommit(tx, () => this.poller.wake(COMMITTING));
    });
  }

  /**
   * Checks a proposal for the admins of this server (OCM-MLS R-014). What they need not approve is queued to be committed
   * all else is put before them. Throws `proposal.not-admin-server`, `proposal.stale`,
   * `proposal.early`, `proposal.unsupported`, `proposal.last-admin`, and what `ApprovalQueue` refuses.
   */
  async queue(tx: Tx, group: Locked<Group>, proposal: Uint8Array): Promise<{ readonly sender: OcmAddress }> {
    // Its epoch comes first: who is an admin in a later one is not known here yet.
    const read = await this.mls.readProposal(tx, { mlsGroupId: group.mlsGroupId, proposal });
    const { ref, epoch, kind, sender } = read;
    if (epoch < group.epoch) throw new Fault('proposal.stale', { epoch: group.epoch });
    if (epoch > group.epoch) throw new Fault('proposal.early', { epoch: group.epoch });
    if (!adminServers(group).includes(this.config.domain)) throw new Fault('proposal.not-admin-server');
    if (NEED_APPROVAL.includes(kind)) {
      await this.approvals.propose(tx, group, asksOf(read, group));
      return { sender };
    }
    if (kind !== 'remove-self' && kind !== 'update') throw new Fault('proposal.unsupported', { kind });
    if (kind === 'remove-self' && group.admins.every((admin) => admin === sender))
      throw new Fault('proposal.last-admin', { sender });
    await this.enqueue(tx, group, { ref, kind, proposer: sender, content: proposal });
    return { sender };
  }

  /**
   * Queues what is known to be good, when an admin of ours may commit it. OCM-MLS
   */
  async enqueue(
    tx: Tx,
    group: Group,
    proposal: Pick<QueuedProposal, 'ref' | 'kind' | 'proposer' | 'content'>,
  ): Promise<void> {
    const { mlsGroupId, epoch } = group;
    const wait = proposal.kind === 'update' ? GATHERING_MS : 0;
    const dueAt = new Date(this.clock.now().getTime() + wait + this.rank(group, proposal) * GRACE_MS);
    await this.queued.queue(tx, { ...proposal, mlsGroupId, epoch, dueAt });
  }

  /** 0 when the first admin who may commit it (OCM-MLS R-067: not one who leaves by it) is at home here. */
  private rank({ admins }: Group, { kind, proposer }: Pick<QueuedProposal, 'kind' | 'proposer'>): number {
    const able = adminServers({ admins: admins.filter((admin) => kind === 'update' || admin !== proposer) });
    const rank = able.indexOf(this.config.domain);
    return rank === -1 ? able.length : rank;
  }
}

export function withoutQuiet({ quietUntil: _, ...group }: Group): Group {
  return group;
}

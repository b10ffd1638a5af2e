import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Tx } from '../platform/transaction.service.js';
import {
  afterEpoch,
  type Approval,
  type Ask,
  type Filing,
  filingOf,
  MOST_OF_A_PROPOSER,
  MOST_OF_A_SERVER,
} from './approval.js';
import { ApprovalRepository } from './approval.repository.js';
import { type Change, OPEN_STATES } from './change.js';
import { ChangeRepository } from './change.repository.js';
import type { Group } from './group.js';
import type { Locked } from './group.repository.js';

/** What waits for the admins of this server: how it gets there, and how it goes without them. OCM-MLS R-014 */
@Injectable()
export class ApprovalQueue {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly approvals: ApprovalRepository,
    private readonly changes: ChangeRepository,
    private readonly log: Log,
  ) {}

  /**
   * Puts what a proposal asks for before the admins; the same again, also in a later epoch, stays one. Throws
   * `proposal.holds-already`, `proposal.declined` when they want none of it, `proposal.flood`.
   */
  async propose(tx: Tx, group: Locked<Group>, asks: readonly Ask[]): Promise<void> {
    if (asks.length === 0) throw new Fault('proposal.holds-already', { group: group.mlsGroupId });
    const filed: Filing[] = [];
    for (const ask of asks) filed.push(await this.ask(tx, group, ask));
    if (filed.every((filing) => filing === 'declined'))
      throw new Fault('proposal.declined', { group: group.mlsGroupId });
  }

  /** One ask of somebody, or of this server itself. Throws `proposal.flood`. */
  async ask(tx: Tx, { mlsGroupId }: Locked<Group>, ask: Ask): Promise<Filing> {
    const now = this.clock.now();
    const last = await this.approvals.last(tx, mlsGroupId, ask);
    const filing = filingOf(ask, last, await this.isUnderWay(tx, last), now);
    if (filing === 'renewed') {
      const { dueAt: _, ...rest } = last!;
      await this.approvals.save(tx, { ...rest, ...ask });
    }
    if (filing !== 'new') return filing;
    if (ask.proposer) await this.assertRoom(tx, mlsGroupId, ask.proposer);
    const id = this.dice.uuid();
    await this.approvals.add(tx, { ...ask, id, mlsGroupId, state: 'open', requestedAt: now });
    this.log.info({ event: 'approval.asked', group: mlsGroupId, approval: id, ...ask }, 'an approval is asked for');
    return filing;
  }

  /** Those that came true, or that nobody can decide or asks for any more, after the group moved on. */
  async afterEpoch(
    tx: Tx,
    group: Pick<Group, 'mlsGroupId' | 'state' | 'epoch' | 'admins'>,
    leaves: { readonly members: ReadonlySet<OcmAddress>; readonly renewed: ReadonlySet<OcmAddress> },
  ): Promise<void> {
    const standing = { ...group, ...leaves, here: this.config.domain };
    for (const approval of await this.approvals.open(tx, group.mlsGroupId)) {
      const next = afterEpoch(approval, standing, this.clock.now());
      if (next !== approval) await this.approvals.save(tx, next);
    }
  }

  /** A member of this server does not ask for it any more. */
  async withdraw(tx: Tx, { mlsGroupId, kind, subject, actor }: Change): Promise<void> {
    if (kind === 'leave') return;
    const last = await this.approvals.last(tx, mlsGroupId, { kind, subject, proposer: actor });
    if (last?.state === 'open') await this.approvals.save(tx, { ...last, state: 'lapsed' });
  }

  private async isUnderWay(tx: Tx, last: Approval | undefined): Promise<boolean> {
    const change = last?.changeId === undefined ? undefined : await this.changes.byId(tx, last.changeId);
    return change !== undefined && OPEN_STATES.includes(change.state);
  }

  private async assertRoom(tx: Tx, mlsGroupId: Approval['mlsGroupId'], proposer: OcmAddress): Promise<void> {
    const { member, server } = await this.approvals.waiting(tx, mlsGroupId, proposer);
    if (member >= MOST_OF_A_PROPOSER || server >= MOST_OF_A_SERVER) {
      throw new Fault('proposal.flood', { group: mlsGroupId, proposer });
    }
  }
}

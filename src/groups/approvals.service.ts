import { Injectable } from '@nestjs/common';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { type Approval, type ApprovalPicture, type ApprovalState, CHANGE_OF, effectOf } from './approval.js';
import { ApprovalRepository } from './approval.repository.js';
import { declinedBy } from './change-audit.js';
import { ChangeRepository } from './change.repository.js';
import { ChangesService } from './changes.service.js';
import type { Group } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { MemberRepository } from './member.repository.js';

/** The admins of this server decide. OCM-MLS */
@Injectable()
export class ApprovalsService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly approvals: ApprovalRepository,
    private readonly changeRows: ChangeRepository,
    private readonly changes: ChangesService,
    private readonly audit: AuditLog,
    private readonly log: Log,
  ) {}

  /** The inbox of an admin over all groups, oldest first. Throws `change.not-local`. OCM-MLS R-014 */
  async ofAdmin(admin: OcmAddress, state: ApprovalState): Promise<ApprovalPicture[]> {
    if (hostOf(admin) !== this.config.domain) throw new Fault('change.not-local', { admin });
    return this.db.run(async (tx) => {
      const pictures: ApprovalPicture[] = [];
      for (const approval of await this.approvals.ofAdmin(tx, admin, state)) {
        pictures.push(await this.pictureOf(tx, approval));
      }
      return pictures;
    });
  }

  /** Throws `not-found`. */
  async get(id: string): Promise<ApprovalPicture> {
    return this.db.run(async (tx) => this.pictureOf(tx, await this.find(tx, id)));
  }

  /**
   * Makes it a change in the name of the admin, committed by value (D-12). Of several admins the first one counts. Throws
   * `not-found`, `change.not-local`, `change.not-admin`, `approval.decided`, and what `ChangesService.take` refuses;
   * then it is as open as before.
   */
  async approve(id: string, by: OcmAddress): Promise<void> {
    await this.db.run(async (tx) => {
      const { approval, group } = await this.hold(tx, id, by);
      const kind = CHANGE_OF[approval.kind];
      const changeId = await this.changes.take(tx, group, { kind, subject: approval.subject, actor: by });
      await this.decide(tx, { ...approval, state: 'approved', decidedBy: by, changeId });
    });
  }

  /** A member of this server who proposed it learns it at once, others when they propose it anew. Throws as `approve`. */
  async decline(id: string, by: OcmAddress, reason: string): Promise<void> {
    await this.db.run(async (tx) => {
      const { approval, group } = await this.hold(tx, id, by);
      const declined: Approval = { ...approval, state: 'declined', decidedBy: by, reason };
      await this.decide(tx, declined);
      await this.audit.record(tx, declinedBy(declined, by, group));
      const change = await this.changeRows.proposed(tx, approval);
      if (change) await this.changeRows.save(tx, { ...change, state: 'refused', fault: 'change.declined' });
    });
  }

  private async decide(tx: Tx, approval: Approval): Promise<void> {
    const { dueAt: _, ...decided } = { ...approval, decidedAt: this.clock.now() };
    await this.approvals.save(tx, decided);
    const { id, mlsGroupId, kind, subject, state, decidedBy } = decided;
    const facts = { event: 'approval.decided', group: mlsGroupId, approval: id, kind, subject, state, by: decidedBy };
    this.log.info(facts, 'an admin has decided');
  }

  /** Under the lock of its group, so that it is decided once. */
  private async hold(
    tx: Tx,
    id: string,
    by: OcmAddress,
  ): Promise<{ readonly approval: Approval; readonly group: Locked<Group> }> {
    const { mlsGroupId } = await this.find(tx, id);
    const group = (await this.groups.lock(tx, mlsGroupId))!;
    if (hostOf(by) !== this.config.domain) throw new Fault('change.not-local', { admin: by });
    if (!group.admins.includes(by)) throw new Fault('change.not-admin', { approval: id, admin: by });
    const approval = await this.find(tx, id);
    if (approval.state !== 'open') {
      const { state, decidedBy } = approval;
      throw new Fault('approval.decided', { approval: id, state, ...(decidedBy ? { by: decidedBy } : {}) });
    }
    return { approval, group };
  }

  private async find(tx: Tx, id: string): Promise<Approval> {
    const approval = await this.approvals.byId(tx, id);
    if (!approval) throw new Fault('not-found', { approval: id });
    return approval;
  }

  private async pictureOf(tx: Tx, approval: Approval): Promise<ApprovalPicture> {
    const { address, admins } = (await this.groups.byId(tx, approval.mlsGroupId))!;
    if (approval.state !== 'open') return { approval, group: address };
    const members = (await this.members.of(tx, approval.mlsGroupId)).map((member) => member.address);
    return { approval, group: address, effect: effectOf(approval, { admins, members }) };
  }
}

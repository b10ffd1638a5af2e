import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import type { MlsGroupId } from '../kernel/ids.js';
import { ClientsService } from '../mls/clients.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { isUnderWay } from './change.js';
import { ChangeRepository } from './change.repository.js';
import { ChangesService } from './changes.service.js';
import { type Group, isFollowed } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { MemberRepository } from './member.repository.js';

/** Users of this server who are to be in no group any more: they leave by themselves, which nobody has to approve. */
@Injectable()
export class LeavingService {
  constructor(
    private readonly clients: ClientsService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly changeRows: ChangeRepository,
    private readonly changes: ChangesService,
  ) {}

  /**
   * Asks for leave in every group of the user where that was not done yet. The last admin of a group waits there until
   * another one is appointed (OCM-MLS R-064). Returns the groups that would have nobody to lead them.
   */
  async leaveAll(tx: Tx, user: OcmAddress): Promise<OcmAddress[]> {
    const leaderless: OcmAddress[] = [];
    for (const group of await this.groupsOf(tx, user)) {
      await this.leave(tx, group, user);
      const isLast = group.admins.every((admin) => admin === user);
      if (isLast && (await this.members.of(tx, group.mlsGroupId)).length > 1) leaderless.push(group.address);
    }
    return leaderless;
  }

  /** Takes back what of that was not proposed to anybody yet. */
  async stay(tx: Tx, user: OcmAddress): Promise<void> {
    for (const { mlsGroupId } of await this.groupsOf(tx, user)) {
      for (const change of await this.changeRows.open(tx, mlsGroupId)) {
        const isLeave = change.kind === 'leave' && change.subject === user;
        if (isLeave && !isUnderWay(change)) await this.changes.takeBack(tx, change);
      }
    }
  }

  /** An invitation of before took in who is not active any more: the user leaves again. */
  async afterJoin(tx: Tx, mlsGroupId: MlsGroupId, user: OcmAddress): Promise<void> {
    if (!(await this.clients.isDeactivated(tx, user))) return;
    const group = await this.groups.lock(tx, mlsGroupId);
    if (group && isFollowed(group)) await this.leave(tx, group, user);
  }

  private async leave(tx: Tx, group: Locked<Group>, user: OcmAddress): Promise<void> {
    const open = await this.changeRows.open(tx, group.mlsGroupId);
    if (open.some(({ kind, subject }) => kind === 'leave' && subject === user)) return;
    await this.changes.takeAll(tx, group, [{ kind: 'leave', subject: user, actor: user }], { mayWait: true });
  }

  /** Locked, always in one order. */
  private async groupsOf(tx: Tx, user: OcmAddress): Promise<Locked<Group>[]> {
    const locked: Locked<Group>[] = [];
    for (const id of (await this.members.groupsOf(tx, user)).sort()) {
      const group = await this.groups.lock(tx, id);
      if (group && isFollowed(group)) locked.push(group);
    }
    return locked;
  }
}

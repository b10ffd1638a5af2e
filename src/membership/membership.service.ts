import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { TransactionService } from '../platform/transaction.service.js';
import { MembershipRepository, type MembersPicture, type Standing } from './membership.repository.js';

/** Who is in which group, and in which epoch that holds. */
@Injectable()
export class MembershipService {
  constructor(
    private readonly db: TransactionService,
    private readonly memberships: MembershipRepository,
  ) {}

  /** Throws `group.not-found`, and `group.left` when this server does not follow the group any more. */
  async members(group: OcmAddress): Promise<MembersPicture> {
    return followed(group, await this.db.statement((tx) => this.memberships.members(tx, group)));
  }

  /** Throws as `members`; that somebody is no member is an answer. */
  async standing(group: OcmAddress, user: OcmAddress): Promise<Standing> {
    return followed(group, await this.db.statement((tx) => this.memberships.standing(tx, group, user)));
  }

  groupsOf(user: OcmAddress): Promise<Standing[]> {
    return this.db.statement((tx) => this.memberships.groupsOf(tx, user));
  }
}

function followed<T extends { readonly state: string }>(group: OcmAddress, found: T | undefined): T {
  if (!found) throw new Fault('group.not-found', { group });
  if (found.state === 'left') throw new Fault('group.left', { group });
  return found;
}

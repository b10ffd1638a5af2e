import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { Rounds } from '../kernel/rounds.js';
import { Config } from '../platform/config.js';
import { TransactionService } from '../platform/transaction.service.js';
import { etagOf } from './etag.js';
import { MembershipCache, ofGroup, ofUser } from './membership-cache.service.js';
import { MembershipRepository, type MembersPicture, type Pair, type Standing } from './membership.repository.js';

export interface GroupsOfUser {
  /** By address. */
  readonly groups: readonly Pick<Standing, 'address' | 'epoch' | 'admin'>[];
  readonly etag: string;
}

/** Who is in which group, and in which epoch that holds. No answer is older than the last Commit that the database knows. */
@Injectable()
export class MembershipService {
  /** Those that are asked for at the same time go into one statement, which costs what a look at kept ones would. */
  private readonly pairs: Rounds<Pair, Standing | undefined>;

  constructor(
    private readonly config: Config,
    private readonly db: TransactionService,
    private readonly memberships: MembershipRepository,
    private readonly cache: MembershipCache,
  ) {
    this.pairs = new Rounds((pairs) => db.statement((tx) => memberships.standings(tx, pairs)), 200, 4);
  }

  /** Throws `group.not-found`, and `group.left` when this server does not follow the group any more. */
  async members(group: OcmAddress): Promise<MembersPicture> {
    return followed(group, await this.db.statement((tx) => this.memberships.members(tx, group)));
  }

  /** Those at home on this server, by address. Throws as `members`. */
  async localMembers(group: OcmAddress): Promise<MembersPicture> {
    const found = await this.cache.answer({
      kind: 'local-members',
      key: `local\n${group}`,
      ask: () => this.db.statement((tx) => this.memberships.membersAt(tx, group, this.config.domain)),
      weight: ({ members }) => members.length + 1,
      tags: () => [ofGroup(group)],
    });
    return followed(group, found);
  }

  /** What tells the answers about a group apart from later ones, without its members. Throws as `members`. */
  async etag(group: OcmAddress): Promise<string> {
    const found = await this.cache.answer({
      kind: 'version',
      key: `version\n${group}`,
      ask: () => this.db.statement((tx) => this.memberships.group(tx, group)),
      weight: () => 1,
      tags: () => [ofGroup(group)],
    });
    return etagOf([followed(group, found).version]);
  }

  /** Throws as `members`; that somebody is no member is an answer. */
  async standing(group: OcmAddress, user: OcmAddress): Promise<Standing> {
    return followed(group, await this.pairs.ask({ group, user }));
  }

  /** An answer for each of the users, of one moment. Throws as `members`. */
  async standings(group: OcmAddress, users: readonly OcmAddress[]): Promise<Standing[]> {
    const pairs = users.map((user) => ({ group, user }));
    const found = await this.db.statement((tx) => this.memberships.standings(tx, pairs));
    return found.map((standing) => followed(group, standing));
  }

  /** The groups of any user, as far as this server has members in them too. */
  async groupsOf(user: OcmAddress): Promise<GroupsOfUser> {
    const found = await this.cache.answer<GroupsOfUser>({
      kind: 'groups',
      key: `groups\n${user}`,
      ask: async () => {
        const groups = await this.db.statement((tx) => this.memberships.groupsOf(tx, user));
        return {
          groups: groups.map(({ address, epoch, admin }) => ({ address, epoch, admin })),
          etag: etagOf(groups.map(({ version }) => version)),
        };
      },
      weight: ({ groups }) => groups.length + 1,
      tags: ({ groups }) => [ofUser(user), ...groups.map(({ address }) => ofGroup(address))],
    });
    return found!;
  }
}

function followed<T extends { readonly state: string }>(group: OcmAddress, found: T | undefined): T {
  if (!found) throw new Fault('group.not-found', { group });
  if (found.state === 'left') throw new Fault('group.left', { group });
  return found;
}

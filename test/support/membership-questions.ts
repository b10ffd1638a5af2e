import type { GroupState } from '../../src/groups/group.js';
import { GroupVersionRepository } from '../../src/groups/group-version.repository.js';
import { type Host, hostOf, type OcmAddress } from '../../src/kernel/address.js';
import { isFault } from '../../src/kernel/fault.js';
import { MembershipCache } from '../../src/membership/membership-cache.service.js';
import { MembershipRepository } from '../../src/membership/membership.repository.js';
import { MembershipService } from '../../src/membership/membership.service.js';
import type { Config } from '../../src/platform/config.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import type { TransactionService } from '../../src/platform/transaction.service.js';

/** Whom to ask about. */
export interface Cast {
  readonly groups: readonly string[];
  readonly users: readonly string[];
}

/** What the hot path says, each answer under its question, with its tag where it has one. */
export type Answers = ReadonlyMap<string, string>;

/** The hot path as another process has it on the same database. */
export class MembershipReplica {
  readonly service: MembershipService;
  private readonly metrics = new Metrics();

  constructor(db: TransactionService, domain: string, membershipsKept: number) {
    const config = { domain, membershipsKept } as Config;
    const cache = new MembershipCache(config, db, new GroupVersionRepository(), this.metrics);
    this.service = new MembershipService(config, db, new MembershipRepository(), cache);
  }

  /** How many answers were given from memory. */
  async hits(): Promise<number> {
    const found = (await this.metrics.text()).matchAll(/outcome="hit"} (\d+)/g);
    return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** Every question at once. */
  async everything({ groups, users }: Cast): Promise<Answers> {
    const asked = [
      ...(groups as OcmAddress[]).flatMap((group) => [
        ...(users as OcmAddress[]).map((user) =>
          said(`${user} in ${group}`, async () => {
            const { member, admin, epoch, version } = await this.service.standing(group, user);
            return [{ member, admin, epoch }, version];
          }),
        ),
        said(`local of ${group}`, async () => {
          const { epoch, members, version } = await this.service.localMembers(group);
          return [{ epoch, members }, version];
        }),
      ]),
      ...(users as OcmAddress[]).map((user) =>
        said(`groups of ${user}`, async () => {
          const { groups: found, etag } = await this.service.groupsOf(user);
          return [found, etag];
        }),
      ),
    ];
    return new Map(await Promise.all(asked));
  }
}

async function said(name: string, ask: () => Promise<object>): Promise<[string, string]> {
  try {
    return [name, JSON.stringify(await ask())];
  } catch (error) {
    if (!isFault(error)) throw error;
    return [name, error.code];
  }
}

type Rows = <T extends object>(sql: string) => Promise<T[]>;

/** The same by a bare query, without tags. */
export async function membershipTruth(rows: Rows, domain: string, { groups, users }: Cast): Promise<Answers> {
  const found = await rows<{
    address: OcmAddress;
    epoch: number;
    state: GroupState;
    admins: string[];
    members: OcmAddress[];
  }>(`SELECT g.address, g.epoch::integer AS epoch, g.state, g.admins,
       ARRAY(SELECT m.address FROM group_member m WHERE m.mls_group_id = g.mls_group_id ORDER BY m.address COLLATE "C") AS members
     FROM federated_group g WHERE g.state <> 'superseded' ORDER BY g.address COLLATE "C"`);
  const truth = new Map<string, string>();
  for (const group of groups) {
    const one = found.find(({ address }) => address === group);
    const tell = (picture: (known: NonNullable<typeof one>) => object) =>
      one ? (one.state === 'left' ? 'group.left' : JSON.stringify(picture(one))) : 'group.not-found';
    for (const user of users) {
      const standing = tell(({ members, admins, epoch }) => ({
        member: members.includes(user as OcmAddress),
        admin: admins.includes(user),
        epoch,
      }));
      truth.set(`${user} in ${group}`, standing);
    }
    const local = tell(({ members, admins, epoch }) => ({
      epoch,
      members: members
        .filter((address) => hostOf(address) === (domain as Host))
        .map((address) => ({ address, admin: admins.includes(address) })),
    }));
    truth.set(`local of ${group}`, local);
  }
  for (const user of users) {
    const of = found
      .filter(({ state, members }) => state !== 'left' && members.includes(user as OcmAddress))
      .map(({ address, epoch, admins }) => ({ address, epoch, admin: admins.includes(user) }));
    truth.set(`groups of ${user}`, JSON.stringify(of));
  }
  return truth;
}

/** An answer as the bare query gives it. */
export const withoutTag = (answer: string): string =>
  answer.startsWith('[') ? JSON.stringify((JSON.parse(answer) as [object, string])[0]) : answer;

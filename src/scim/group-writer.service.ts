import { Injectable } from '@nestjs/common';
import { ChangeRepository } from '../groups/change.repository.js';
import type { Wish } from '../groups/change.js';
import { ChangesService } from '../groups/changes.service.js';
import { type Group, isFollowed } from '../groups/group.js';
import { GroupRepository, type Locked } from '../groups/group.repository.js';
import { LifecycleService } from '../groups/lifecycle.service.js';
import { hostOf, ocmAddress, type OcmAddress } from '../kernel/address.js';
import { Fault, isFault } from '../kernel/fault.js';
import { Config } from '../platform/config.js';
import type { Tx } from '../platform/transaction.service.js';
import { DirectoryService } from './directory.service.js';
import { adminsOf, goalOf, membersOf, takenBack } from './group-goal.js';
import type { JsonObject } from './schema.js';
import { GROUPS } from './schemas.js';
import type { Aim, Outcome, Writer } from './writing.js';

/** So much is asked of a group at once: each of it is a change with a life of its own. */
export const MOST_WISHES = 500;

/**
 * What is to change of a group is asked for in the name of a member: an admin's asking is approving, anybody else's is
 * proposing it to the admins, and asking to be removed is leaving. It is pending until a Commit brings it.
 */
@Injectable()
export class GroupWriter implements Writer<Tx> {
  constructor(
    private readonly config: Config,
    private readonly directory: DirectoryService,
    private readonly groups: GroupRepository,
    private readonly lifecycle: LifecycleService,
    private readonly changes: ChangesService,
    private readonly changeRows: ChangeRepository,
  ) {}

  /**
   * Who asks is the founder; or else the one admin who is named. Throws `scim.value`, `scim.taken`, `scim.nobody-asks`,
   * what `LifecycleService.found` refuses, and `scim.too-much`.
   */
  async create(tx: Tx, asserted: JsonObject, by: OcmAddress | undefined): Promise<OcmAddress> {
    const address = this.addressIn(asserted);
    const [first, ...others] = adminsOf(asserted);
    const founder = by ?? first;
    if (founder === undefined) throw new Fault('scim.nobody-asks');
    if (others.length > 0 || (first !== undefined && first !== founder))
      throw new Fault('scim.value', { reason: 'admins: the founder alone; appoint others once they are members' });
    if (await this.directory.isNamed(tx, GROUPS, address)) throw new Fault('scim.taken', { displayName: address });
    const group = await this.lifecycle.found(tx, address, founder);
    const wishes = membersOf(asserted).filter((subject) => subject !== founder);
    await this.ask(
      tx,
      group,
      wishes.map((subject) => ({ kind: 'add', subject })),
      founder,
    );
    return address;
  }

  async hold(tx: Tx, id: OcmAddress): Promise<void> {
    await this.held(tx, id);
  }

  /** Throws `scim.nobody-asks`, `scim.too-much`, and what `ChangesService.takeAll` and `takeBack` refuse. */
  async bringAbout(tx: Tx, id: OcmAddress, { now, meant, operations, by }: Aim): Promise<Outcome> {
    const group = await this.held(tx, id);
    const open = await this.changeRows.unsettled(tx, { groups: [group.mlsGroupId] });
    const back = by === undefined ? [] : takenBack(operations, open, by);
    for (const { id: change } of back) await this.changes.takeBack(tx, (await this.changeRows.byId(tx, change))!);
    const { wishes, isPending } = goalOf(
      now,
      meant,
      open.filter((one) => !back.includes(one)),
    );
    if (wishes.length === 0) return { isPending };
    if (by === undefined) throw new Fault('scim.nobody-asks');
    await this.ask(tx, group, wishes, by);
    return { isPending: true };
  }

  /** Groups end when their last member leaves; there is nothing that ends one for all. */
  remove(): Promise<void> {
    throw new Fault('scim.not-built', { reason: 'a group is not deleted: its members leave it' });
  }

  async noteRefusal(group: OcmAddress, error: unknown): Promise<void> {
    if (!isFault(error)) return;
    const { kind, subject, actor } = error.facts as Partial<Wish>;
    if (kind && subject && actor) await this.changes.noteRefusal({ group, kind, subject, actor }, error);
  }

  private async ask(
    tx: Tx,
    group: Locked<Group>,
    wishes: readonly Pick<Wish, 'kind' | 'subject'>[],
    actor: OcmAddress,
  ): Promise<void> {
    if (wishes.length > MOST_WISHES) throw new Fault('scim.too-much', { reason: `more than ${MOST_WISHES} changes` });
    const all = wishes.map(({ kind, subject }) => {
      const leaves = kind === 'remove' && subject === actor;
      return { kind: leaves ? ('leave' as const) : kind, subject, actor };
    });
    if (all.length > 0) await this.changes.takeAll(tx, group, all);
  }

  private async held(tx: Tx, id: OcmAddress): Promise<Locked<Group>> {
    const known = await this.groups.byAddress(tx, id);
    const group = known && (await this.groups.lock(tx, known.mlsGroupId));
    if (!group || !isFollowed(group)) throw new Fault('group.not-found', { group: id });
    return group;
  }

  /** An address of this domain, or what stands before its "@". */
  private addressIn({ displayName }: JsonObject): OcmAddress {
    if (typeof displayName !== 'string') throw new Fault('scim.value', { reason: 'displayName is missing' });
    const address = ocmAddress(displayName.includes('@') ? displayName : `${displayName}@${this.config.domain}`);
    if (hostOf(address) === this.config.domain) return address;
    throw new Fault('scim.value', { reason: `displayName: not an address of ${this.config.domain}` });
  }
}

import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { DepartureRepository } from '../groups/departure.repository.js';
import { GroupRepository } from '../groups/group.repository.js';
import { MemberRepository } from '../groups/member.repository.js';
import type { Tx } from '../platform/transaction.service.js';
import { EncryptedResourceRepository } from './encrypted-resource.repository.js';

/** Who has access to what is shared with the groups, by their addresses: a successor goes on where the group ended. */
@Injectable()
export class AudienceService {
  constructor(
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly departures: DepartureRepository,
    private readonly resources: EncryptedResourceRepository,
  ) {}

  /** The members, and those of whose departure nobody took note yet. */
  async of(tx: Tx, groups: readonly OcmAddress[]): Promise<OcmAddress[]> {
    const everybody = new Set(await this.departures.of(tx, groups));
    for (const group of groups) for (const member of await this.roster(tx, group)) everybody.add(member);
    return [...everybody].sort();
  }

  /** Those of the resources that one of `gone` has no access to any more, through no group at all. */
  async outOfReach(tx: Tx, resourceIds: readonly string[], gone: readonly OcmAddress[]): Promise<string[]> {
    const groupsOf = await this.resources.groupsOfEach(tx, resourceIds);
    const rosters = new Map<OcmAddress, ReadonlySet<OcmAddress>>();
    for (const group of new Set([...groupsOf.values()].flat())) {
      rosters.set(group, new Set(await this.roster(tx, group)));
    }
    return resourceIds.filter((id) => {
      const has = (user: OcmAddress) => (groupsOf.get(id) ?? []).some((group) => rosters.get(group)!.has(user));
      return !gone.every(has);
    });
  }

  private async roster(tx: Tx, address: OcmAddress): Promise<OcmAddress[]> {
    const group = await this.groups.byAddress(tx, address);
    return group ? (await this.members.of(tx, group.mlsGroupId)).map((member) => member.address) : [];
  }
}

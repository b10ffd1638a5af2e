import { Injectable } from '@nestjs/common';
import { hostOf } from '../kernel/address.js';
import { DepartureRepository } from '../groups/departure.repository.js';
import { Following } from '../groups/following.service.js';
import { MemberRepository } from '../groups/member.repository.js';
import type { Turn } from '../platform/poller.service.js';
import { CredentialsService } from './credentials.service.js';
import { RotationWishes } from './rotation-wishes.service.js';

/**
 * Follows the groups: whoever was in the group since it was last looked at, and is so no more, may still have the keys of
 * what was shared with it, and its server's secrets. Who rejoins was never away. OCM-MLS
 */
@Injectable()
export class AudienceWorker implements Turn {
  readonly name = 'shares.audience';

  constructor(
    private readonly following: Following,
    private readonly members: MemberRepository,
    private readonly departures: DepartureRepository,
    private readonly wishes: RotationWishes,
    private readonly credentials: CredentialsService,
  ) {}

  turn(): Promise<boolean> {
    return this.following.turn(this.name, async (tx, group) => {
      // Of a group that this server has left or lost it does not know who is in it; its shares end for other reasons.
      if (group.state === 'active') {
        const members = (await this.members.of(tx, group.mlsGroupId)).map(({ address }) => address);
        const gone = await this.departures.take(tx, group.address, members);
        await this.wishes.membersGone(tx, group.address, gone);
        await this.credentials.membersGone(tx, group, gone, members.map(hostOf));
      }
      return true;
    });
  }
}

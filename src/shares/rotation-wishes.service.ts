import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import type { Gone } from '../groups/departure.repository.js';
import { Clock } from '../kernel/clock.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { AudienceService } from './audience.service.js';
import { EncryptedResourceRepository } from './encrypted-resource.repository.js';
import type { RotationCause } from './rotation.js';
import { RotationRepository } from './rotation.repository.js';
import type { Share } from './share.js';

const AT_ONCE = 500;

/**
 * When a file is to have a new key: whenever somebody who could read it has access no more, and when its key is old. What
 * exactly is policy of this server, which nobody else is told (OCM-MLS R-199).
 */
@Injectable()
export class RotationWishes {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly resources: EncryptedResourceRepository,
    private readonly rotations: RotationRepository,
    private readonly audience: AudienceService,
    private readonly log: Log,
  ) {}

  /** Users were removed from a group, or left it. OCM-MLS R-192: not where keys are reused. */
  async membersGone(tx: Tx, group: OcmAddress, gone: Gone): Promise<void> {
    if (gone.length === 0 || this.isReused(group)) return;
    const resourceIds = await this.resources.idsSharedWith(tx, group);
    if (gone === 'anybody') await this.request(tx, resourceIds, 'epochs-missed');
    else await this.wish(tx, resourceIds, gone, 'member-removed');
  }

  /** A share of it ended, and others go on. When none does, nobody is to be told of a key. */
  async shareEnded(tx: Tx, { group, encryption }: Share): Promise<void> {
    if (!encryption || this.isReused(group)) return;
    const { resourceId } = encryption;
    const groups = await this.resources.groupsOf(tx, resourceId);
    if (groups.length === 0 || groups.includes(group)) return;
    await this.wish(tx, [resourceId], await this.audience.of(tx, [group]), 'share-ended');
  }

  /** It is shared with the first group after others had lost it. */
  async shared(tx: Tx, { encryption }: Share): Promise<void> {
    if (!encryption) return;
    const { resourceId } = encryption;
    if ((await this.resources.groupsOf(tx, resourceId)).length > 1) return;
    const former = (await this.resources.formerGroupsOf(tx, resourceId)).filter((group) => !this.isReused(group));
    if (former.length === 0) return;
    await this.wish(tx, [resourceId], await this.audience.of(tx, former), 'shared-again');
  }

  /** Whether there are files whose keys are old. */
  async haveAged(tx: Tx): Promise<boolean> {
    return (await this.old(tx, 1)).length > 0;
  }

  /** Whoever came or went. Returns for how many there was a wish. OCM-MLS R-193 */
  async aged(tx: Tx): Promise<number> {
    return this.request(tx, await this.old(tx, AT_ONCE), 'age');
  }

  /** Somebody asked for it, e.g. because the key may have leaked. OCM-MLS R-193 */
  async asked(tx: Tx, resourceId: string): Promise<void> {
    await this.request(tx, [resourceId], 'asked');
  }

  private old(tx: Tx, most: number): Promise<string[]> {
    return this.resources.olderThan(tx, new Date(this.clock.now().getTime() - this.config.fileKeyAgeMs), most);
  }

  private isReused(group: OcmAddress): boolean {
    return this.config.fileKeyReuse.includes(group);
  }

  /** OCM-MLS R-195: where the policy says so, only what is out of reach for one of those who are gone. */
  private async wish(tx: Tx, resourceIds: readonly string[], gone: readonly OcmAddress[], cause: RotationCause) {
    const skips = this.config.fileKeyRotation === 'skip-when-audience-unchanged';
    await this.request(tx, skips ? await this.audience.outOfReach(tx, resourceIds, gone) : resourceIds, cause);
  }

  private async request(tx: Tx, resourceIds: readonly string[], cause: RotationCause): Promise<number> {
    if (resourceIds.length === 0) return 0;
    const files = await this.rotations.request(tx, resourceIds, cause, this.clock.now());
    if (files > 0) this.log.info({ event: 'file-keys.due', cause, files }, 'files are to have new keys');
    return files;
  }
}

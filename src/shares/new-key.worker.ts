import { Injectable } from '@nestjs/common';
import { GroupRepository } from '../groups/group.repository.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { EncryptedResourceRepository } from './encrypted-resource.repository.js';
import { KeySendingService } from './key-sending.service.js';
import { RotationRepository } from './rotation.repository.js';

/** The name of the worker that sends new keys. */
export const NEW_KEYS = 'shares.new-keys';

/** Sends the new key of a file to every group that has access, one group a transaction. OCM-MLS R-194 */
@Injectable()
export class NewKeyWorker implements Turn {
  readonly name = NEW_KEYS;

  constructor(
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly resources: EncryptedResourceRepository,
    private readonly rotations: RotationRepository,
    private readonly keys: KeySendingService,
  ) {}

  turn(): Promise<boolean> {
    const look = (tx: Tx) => this.rotations.isSending(tx);
    return this.db.runIf(look, async (tx) => {
      const next = await this.rotations.nextDelivery(tx);
      if (!next) {
        await this.rotations.sent(tx);
        return false;
      }
      const known = await this.groups.byAddress(tx, next.group);
      const group = known && (await this.groups.lock(tx, known.mlsGroupId));
      const key = await this.resources.key(tx, next.resourceId);
      // What cannot be sent now goes out with all other keys of the group as soon as it can.
      if (group?.state === 'active' && key) await this.keys.send(tx, group, { resourceId: next.resourceId, key });
      return true;
    });
  }
}

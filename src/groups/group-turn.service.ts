import { Injectable } from '@nestjs/common';
import type { MlsGroupId } from '../kernel/ids.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import type { Group } from './group.js';
import { GroupRepository, type Locked, type Reach } from './group.repository.js';

interface GroupTurn {
  /** A group that is due. */
  readonly next: (tx: Tx, how: Reach) => Promise<MlsGroupId | undefined>;
  readonly work: (tx: Tx, group: Locked<Group>) => Promise<void>;
  /** Puts a group off that failed: it would be the first again at the next turn, and all others would wait for it. */
  readonly putOff: (tx: Tx, group: Locked<Group>) => Promise<void>;
}

/** How a worker looks after the groups: one at a time, and none that fails keeps the others waiting. */
@Injectable()
export class GroupTurns {
  constructor(
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
  ) {}

  /**
   * Does what is due in one group, in one transaction, and says whether there was one. Throws what the work throws, once
   * the group is put off.
   */
  async take({ next, work, putOff }: GroupTurn): Promise<boolean> {
    let failing: MlsGroupId | undefined;
    try {
      return await this.db.runIf(
        (tx) => next(tx, 'look'),
        async (tx) => {
          const group = await this.groups.lockAny(tx, await next(tx, 'lock'));
          failing = group?.mlsGroupId;
          if (group) await work(tx, group);
          return group !== undefined;
        },
      );
    } catch (error) {
      if (failing !== undefined) await this.putOff(failing, putOff);
      throw error;
    }
  }

  private async putOff(mlsGroupId: MlsGroupId, how: GroupTurn['putOff']): Promise<void> {
    await this.db.run(async (tx) => {
      const group = await this.groups.lock(tx, mlsGroupId);
      if (group) await how(tx, group);
    });
  }
}

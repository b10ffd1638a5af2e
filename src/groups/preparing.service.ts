import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import { KeyPackageClient } from '../mls/key-package.client.js';
import { Log } from '../platform/logger.service.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { type Change, readyState } from './change.js';
import { ChangeRepository } from './change.repository.js';
import { GroupRepository } from './group.repository.js';
import { MOST_TRIES, nextTryAt } from './key-package-tries.js';
import { COMMITTING } from './proposals.service.js';

/** Fetches the KeyPackage of each user that is to be added, from the user's home server. OCM-MLS R-218 */
@Injectable()
export class PreparingService {
  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly changes: ChangeRepository,
    private readonly keyPackages: KeyPackageClient,
    private readonly poller: Poller,
    private readonly log: Log,
  ) {}

  /** Prepares one Add that is due, and says whether there was one. */
  async prepareNext(): Promise<boolean> {
    const change = await this.db.runIf(
      (tx) => this.changes.hasRequested(tx, ['add'], this.clock.now()),
      (tx) => this.claim(tx),
    );
    if (!change) return false;
    const outcome = await this.fetch(change);
    await this.db.run(async (tx) => {
      await this.groups.lock(tx, change.mlsGroupId);
      const current = await this.changes.byId(tx, change.id);
      // Meanwhile another Commit may have made it true.
      if (current?.state !== 'requested') return;
      const ready = outcome.keyPackage ? { state: readyState(current) } : {};
      await this.changes.save(tx, { ...current, ...ready, ...outcome });
      this.db.afterCommit(tx, () => this.poller.wake(COMMITTING));
    });
    return true;
  }

  /** Puts the next try off before it is made, so that a crash or another replica does not do it again at once. */
  private async claim(tx: Tx): Promise<Change | undefined> {
    const now = this.clock.now();
    const change = await this.changes.nextRequested(tx, ['add'], now);
    if (!change) return undefined;
    const claimed = { ...change, tries: change.tries + 1, nextTryAt: nextTryAt(change.tries, now) };
    await this.changes.save(tx, claimed);
    return claimed;
  }

  private async fetch({ subject, tries }: Change): Promise<Partial<Change>> {
    try {
      return { keyPackage: await this.keyPackages.fetch(subject), nextTryAt: this.clock.now() };
    } catch (error) {
      const fault = isFault(error) ? error : new Fault('internal', {}, error);
      this.log.warn(
        { event: 'key-package.not-had', user: subject, code: fault.code, tries, err: error },
        'no KeyPackage yet',
      );
      return fault.retry && tries < MOST_TRIES ? {} : { state: 'refused', fault: fault.code };
    }
  }
}

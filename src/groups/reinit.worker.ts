import { Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import { KeyPackageClient } from '../mls/key-package.client.js';
import { Log } from '../platform/logger.service.js';
import { Poller, type Turn } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import type { Change } from './change.js';
import { ChangeRepository } from './change.repository.js';
import { REINITIALISING } from './changes.service.js';
import type { Entrant } from './commit-plan.js';
import { GroupRepository } from './group.repository.js';
import { MOST_TRIES, nextTryAt } from './key-package-tries.js';
import { COMMITTING } from './proposals.service.js';
import { FRESH_MS, waitsUntil } from './reinit.js';
import { ReinitRepository } from './reinit.repository.js';
import { ReinitService } from './reinit.service.js';
import { SuccessorKeyPackageRepository } from './successor-key-package.repository.js';

/** A group whose members' KeyPackages are needed: for a wish, or because it is suspended. */
interface Job {
  readonly mlsGroupId: MlsGroupId;
  readonly maker: OcmAddress;
  readonly missing: readonly OcmAddress[];
  /** The wish. */
  readonly change?: string;
}

interface Fetched {
  readonly got: readonly Entrant[];
  /** Why the first of the others was not had. */
  readonly fault?: Fault;
}

/**
 * Reinitialises groups. The KeyPackages of all members are fetched before the ReInit is committed, so that a group is not
 * left suspended because one server cannot be reached; then, or when another admin's server failed to, the successor is
 * made of them.
 */
@Injectable()
export class ReinitWorker implements Turn {
  readonly name = REINITIALISING;

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly changes: ChangeRepository,
    private readonly reinits: ReinitRepository,
    private readonly keyPackages: SuccessorKeyPackageRepository,
    private readonly reinit: ReinitService,
    private readonly client: KeyPackageClient,
    private readonly poller: Poller,
    private readonly log: Log,
  ) {}

  async turn(): Promise<boolean> {
    const job = await this.db.runIf(
      (tx) => this.isDue(tx, this.clock.now()),
      (tx) => this.claim(tx),
    );
    if (!job) return this.reinit.finishNext();
    const fetched = await this.fetch(job);
    await this.db.run((tx) => this.keep(tx, job, fetched.got));
    if (job.change !== undefined) await this.prepare(job, job.change, fetched.fault);
    else if (!fetched.fault) await this.succeed(job);
    return true;
  }

  private async isDue(tx: Tx, now: Date): Promise<boolean> {
    return (await this.changes.hasRequested(tx, ['reinit'], now)) || this.reinits.hasDue(tx, now);
  }

  /** Puts the next try off before it is made, so that a crash or another replica does not do it again at once. */
  private async claim(tx: Tx): Promise<Job | undefined> {
    const now = this.clock.now();
    const change = await this.changes.nextRequested(tx, ['reinit'], now);
    if (change) {
      const { id, mlsGroupId, actor: maker, tries } = change;
      await this.changes.save(tx, { ...change, tries: tries + 1, nextTryAt: nextTryAt(tries, now) });
      return { mlsGroupId, maker, change: id, missing: await this.missing(tx, mlsGroupId, maker) };
    }
    return this.claimDue(tx, now);
  }

  /** After a ReInit there is no end to the tries. */
  private async claimDue(tx: Tx, now: Date): Promise<Job | undefined> {
    const due = await this.reinits.nextDue(tx, now);
    if (!due) return undefined;
    const { mlsGroupId, tries } = due;
    const wait = waitsUntil(due.dueAt!, now);
    await this.reinits.put(tx, {
      ...due,
      ...(wait ? { dueAt: wait } : { tries: tries + 1, dueAt: nextTryAt(tries, now) }),
    });
    if (wait) return this.claimDue(tx, now);
    const group = await this.groups.byId(tx, mlsGroupId);
    const maker = group && (await this.reinit.maker(tx, group));
    if (!maker) throw new Fault('internal', { what: 'no admin here makes the successor', group: mlsGroupId });
    return { mlsGroupId, maker, missing: await this.missing(tx, mlsGroupId, maker) };
  }

  private missing(tx: Tx, mlsGroupId: MlsGroupId, maker: OcmAddress): Promise<OcmAddress[]> {
    return this.keyPackages.missing(tx, mlsGroupId, maker, new Date(this.clock.now().getTime() - FRESH_MS));
  }

  /** The only part that uses the network. */
  private async fetch({ mlsGroupId, missing }: Job): Promise<Fetched> {
    const got: Entrant[] = [];
    let first: Fault | undefined;
    for (const address of missing) {
      try {
        got.push({ address, keyPackage: await this.client.fetch(address) });
      } catch (error) {
        const fault = isFault(error) ? error : new Fault('internal', {}, error);
        const facts = { event: 'key-package.not-had', group: mlsGroupId, user: address, code: fault.code, err: error };
        this.log.warn(facts, 'a group waits for a KeyPackage to be reinitialised');
        first ??= fault;
      }
    }
    return { got, ...(first ? { fault: first } : {}) };
  }

  private async keep(tx: Tx, { mlsGroupId }: Job, got: readonly Entrant[]): Promise<void> {
    const now = this.clock.now();
    const group = await this.groups.lock(tx, mlsGroupId);
    if (!group) return;
    for (const entrant of got) await this.keyPackages.put(tx, mlsGroupId, entrant, now);
  }

  /** With all KeyPackages at hand the ReInit may be committed. OCM-MLS R-146 */
  private async prepare({ mlsGroupId }: Job, id: string, fault: Fault | undefined): Promise<void> {
    await this.db.run(async (tx) => {
      await this.groups.lock(tx, mlsGroupId);
      const current = await this.changes.byId(tx, id);
      if (current?.state !== 'requested' || (fault?.retry === true && current.tries < MOST_TRIES)) return;
      const outcome: Partial<Change> = fault
        ? { state: 'refused', fault: fault.code }
        : { state: 'prepared', nextTryAt: this.clock.now() };
      await this.changes.save(tx, { ...current, ...outcome });
      this.db.afterCommit(tx, () => this.poller.wake(COMMITTING));
    });
  }

  /** Unless one came meanwhile, or it is not this server's turn yet. A KeyPackage that is of no use any more goes. */
  private async succeed({ mlsGroupId, maker }: Job): Promise<void> {
    try {
      await this.db.run(async (tx) => {
        const group = await this.groups.lock(tx, mlsGroupId);
        const reinit = group && (await this.reinits.of(tx, mlsGroupId));
        if (group?.state !== 'suspended' || !reinit?.makesAt) return;
        if (reinit.makesAt > this.clock.now()) await this.reinits.put(tx, { ...reinit, dueAt: reinit.makesAt });
        else await this.reinit.make(tx, { group, reinit }, maker);
      });
    } catch (error) {
      const user = isFault(error) ? error.facts['userId'] : undefined;
      if (user !== undefined) await this.db.run((tx) => this.keyPackages.remove(tx, mlsGroupId, user as OcmAddress));
      throw error;
    }
  }
}

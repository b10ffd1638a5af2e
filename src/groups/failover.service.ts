import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { epoch, type Epoch } from '../kernel/ids.js';
import { HeldStateRepository } from '../mls/held-state.repository.js';
import { Config } from '../platform/config.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { CommitLogRepository } from './commit-log.repository.js';
import { isTriggered, outranks, type Quiet, takeoverAt } from './failover.js';
import { adminServers, type Group } from './group.js';
import type { Locked } from './group.repository.js';
import { type HeldEpoch, HeldEpochRepository } from './held-epoch.repository.js';
import { MemberRepository } from './member.repository.js';
import { TakeoverWatchRepository } from './takeover-watch.repository.js';

/** How long a server can go back to the epoch before a takeover; from then on the takeover is final. OCM-MLS R-092 */
export const HELD_MS = 3_600_000;

/** Watches over owner servers that fall silent, and remembers what may have to be taken back. OCM-MLS section 7.3 */
@Injectable()
export class FailoverService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly members: MemberRepository,
    private readonly commitLog: CommitLogRepository,
    private readonly watches: TakeoverWatchRepository,
    private readonly held: HeldEpochRepository,
    private readonly states: HeldStateRepository,
  ) {}

  /** Notes when this server is to take over a group that has just moved on, and says so. */
  async watch(tx: Tx, group: Group): Promise<Date | undefined> {
    const due = group.state === 'active' ? await this.takeoverAt(tx, group, this.config.domain) : undefined;
    await this.watches.set(tx, group.mlsGroupId, due);
    return due;
  }

  /** From when on `server` may arbitrate in the owner's place. */
  async takeoverAt(tx: Tx, group: Group, server: Host): Promise<Date | undefined> {
    const quiet = await this.quiet(tx, group);
    return quiet && takeoverAt(group, server, quiet);
  }

  /**
   * Whose word decides on a Commit of ours: the owner server's. When that is this one, and was away for so long that
   * another one may have taken its place, the next admin's server is asked first: it takes the Commit as the owner's
   * broadcast, or names the epoch that came meanwhile. OCM-MLS
   */
  async judgeOf(tx: Tx, group: Group): Promise<Host> {
    const [owner, next] = adminServers(group) as [Host, Host | undefined];
    return owner === this.config.domain && next && (await this.isTriggered(tx, group)) ? next : owner;
  }

  /** Whether the owner server of `group` has been silent for so long that another one may have taken its place. */
  async isTriggered(tx: Tx, group: Group): Promise<boolean> {
    const quiet = await this.quiet(tx, group);
    return quiet !== undefined && isTriggered(group, quiet, this.clock.now());
  }

  /** For the Commit that comes next: once the trigger is seen, the epoch that it ends may come back. OCM-MLS R-091 */
  async holdBack(tx: Tx, group: Locked<Group>): Promise<void> {
    if (!(await this.isTriggered(tx, group))) return;
    const { mlsGroupId, epoch } = group;
    const until = new Date(this.clock.now().getTime() + HELD_MS);
    const roster = await this.members.copy(tx, mlsGroupId);
    if (await this.held.hold(tx, { ...group, roster }, until)) await this.states.hold(tx, mlsGroupId, epoch, until);
  }

  /**
   * The epoch to which the group must go back for a Commit that `arbiter` brings: another one was followed, and its
   * arbiter stands behind (OCM-MLS R-090). Undefined when it does not, or when the epoch is not held any more.
   */
  async contested(tx: Tx, { mlsGroupId }: Group, arbiter: Host, at: Epoch): Promise<HeldEpoch | undefined> {
    const held = await this.held.find(tx, mlsGroupId, at, this.clock.now());
    const followed = held && (await this.commitLog.find(tx, mlsGroupId, at));
    return followed && outranks(held.admins, arbiter, followed.arbiter) ? held : undefined;
  }

  /** Whether the group may still go back. */
  mayGoBack(tx: Tx, { mlsGroupId }: Pick<Group, 'mlsGroupId'>): Promise<boolean> {
    return this.held.holdsAny(tx, mlsGroupId, this.clock.now());
  }

  /** The state is lost: there is nothing to go back to. In epoch 0 there is one member, and nobody to take over. */
  async giveUp(tx: Tx, { mlsGroupId }: Group): Promise<void> {
    await this.held.forgetAfter(tx, mlsGroupId, epoch(0));
    await this.states.forgetAfter(tx, mlsGroupId, epoch(0));
    await this.watches.set(tx, mlsGroupId, undefined);
  }

  /** OCM-MLS R-092, whether or not anybody came back. */
  async forgetExpired(): Promise<void> {
    const now = this.clock.now();
    await this.db.statement((tx) => this.held.forgetExpired(tx, now));
    await this.db.statement((tx) => this.states.forgetExpired(tx, now));
  }

  /** A Commit renews a leaf that stays, the committer's or one that it adds: the newest leaf tells when it came. */
  private async quiet(tx: Tx, { mlsGroupId }: Group): Promise<Quiet | undefined> {
    const lastCommit = await this.members.lastRenewal(tx, mlsGroupId);
    return lastCommit && { lastCommit, takeoverMs: this.config.takeoverTimeMs };
  }
}

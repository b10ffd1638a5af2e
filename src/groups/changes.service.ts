import { Injectable } from '@nestjs/common';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault, isFault } from '../kernel/fault.js';
import { AuditService } from '../platform/audit.service.js';
import { Config } from '../platform/config.js';
import { Idempotency, type IdempotencyKey } from '../platform/idempotency.repository.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { PeerLimits } from '../trust/peer-limits.service.js';
import { ProvidersService } from '../trust/providers.service.js';
import { Trust } from '../trust/trust.service.js';
import { ApprovalQueue } from './approval-queue.service.js';
import {
  type Change,
  type ChangeKind,
  firstState,
  isUnderWay,
  MOST_PROPOSED,
  objectionTo,
  OPEN_STATES,
  type Wish,
} from './change.js';
import { ChangeRepository } from './change.repository.js';
import type { Group } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import { COMMITTING, withoutQuiet } from './proposals.service.js';

/** The name of the worker that fetches KeyPackages. */
export const PREPARING = 'groups.preparing';

/** The name of the worker that reinitialises groups. */
export const REINITIALISING = 'groups.reinitialising';

/** Who begins a change of each kind, where nobody else than the committing worker does. */
const BEGINS: Partial<Record<ChangeKind, string>> = { add: PREPARING, reinit: REINITIALISING };

type InGroup = Omit<Wish, 'group'>;

/**
 * What people of this server ask for. An admin's asking is approving (OCM-MLS ), another member's is proposing
 * it to the admins; the rest happens by itself.
 */
@Injectable()
export class ChangesService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly changes: ChangeRepository,
    private readonly queue: ApprovalQueue,
    private readonly idempotency: Idempotency,
    private readonly audit: AuditService,
    private readonly trust: Trust,
    private readonly providers: ProvidersService,
    private readonly limits: PeerLimits,
    private readonly poller: Poller,
  ) {}

  /** Takes a wish down, to be carried out in the background. Throws `group.not-found` and what `take` refuses. */
  async request(wish: Wish, key?: IdempotencyKey): Promise<string> {
    try {
      const { id } = await this.db.run((tx) =>
        this.idempotency.once(tx, key, async () => ({ id: await this.requestIn(tx, wish) })),
      );
      return id;
    } catch (error) {
      if (isFault(error, 'change.peer-held')) await this.providers.wanted(hostOf(wish.subject), wish.actor);
      await this.noteRefusal(wish, error);
      throw error;
    }
  }

  /** Throws `not-found`. */
  async get(id: string): Promise<Change> {
    const change = await this.db.statement((tx) => this.changes.byId(tx, id));
    if (!change) throw new Fault('not-found', { change: id });
    return change;
  }

  /** The latest 100, newest first. Throws `group.not-found`. */
  async ofGroup(address: OcmAddress): Promise<Change[]> {
    return this.db.run(async (tx) => {
      const group = await this.groups.byAddress(tx, address);
      if (!group) throw new Fault('group.not-found', { group: address });
      return this.changes.of(tx, group, 100);
    });
  }

  private async requestIn(tx: Tx, wish: Wish): Promise<string> {
    const known = await this.groups.byAddress(tx, wish.group);
    const group = known && (await this.groups.lock(tx, known.mlsGroupId));
    if (!group) throw new Fault('group.not-found', { group: wish.group });
    await this.limits.spendFor(tx, wish.actor);
    return this.take(tx, group, wish);
  }

  /** One wish in a group that is locked. Throws as `takeAll`. */
  async take(tx: Tx, group: Locked<Group>, wish: InGroup): Promise<string> {
    const [id] = await this.takeAll(tx, group, [wish]);
    return id!;
  }

  /**
   * All of the wishes, or none, in a group that is locked. Throws `group.left`, `approval.flood`, `change.peer-held` or
   * `change.peer-refused` when policy keeps the server of who is to be added out, or why a wish makes no sense as the group
   * stands now (`objectionTo`). With `mayWait` the last admin may ask to leave, and does so once another admin is appointed.
   */
  async takeAll(
    tx: Tx,
    group: Locked<Group>,
    wishes: readonly InGroup[],
    { mayWait = false }: { readonly mayWait?: boolean } = {},
  ): Promise<string[]> {
    const { mlsGroupId, address, admins } = group;
    if (group.state === 'left') throw new Fault('group.left', { group: address });
    const members = new Set((await this.members.of(tx, mlsGroupId)).map((member) => member.address));
    const standing = { here: this.config.domain, admins, isMember: (user: OcmAddress) => members.has(user) };
    const now = this.clock.now();
    const ids: string[] = [];
    for (const { kind, subject, actor } of wishes) {
      const fault = objectionTo({ kind, subject, actor }, standing);
      const waits = mayWait && kind === 'leave' && fault === 'change.last-admin';
      if (fault && !waits) throw new Fault(fault, { group: address, kind, subject, actor });
      if (kind === 'add') await this.assertLetIn(tx, subject);
      const approved = admins.includes(actor);
      if (!approved && kind !== 'leave') await this.assertRoom(tx, group, { kind, subject, actor });

      const id = this.dice.uuid();
      const begin = { approved, state: firstState({ kind, approved }), tries: 0, nextTryAt: now, requestedAt: now };
      await this.changes.add(tx, { id, mlsGroupId, kind, subject, actor, ...begin });
      this.db.afterCommit(tx, () => this.poller.wake(BEGINS[kind] ?? COMMITTING));
      ids.push(id);
    }
    if (group.quietUntil && !group.submitted) await this.groups.save(tx, group, withoutQuiet(group), now);
    return ids;
  }

  /**
   * Nobody wants it any more; what was withdrawn before stays so. A proposal that other servers have cannot be called
   * back: it lapses there. Throws `not-found`, `change.under-way`, `change.settled`.
   */
  async withdraw(id: string): Promise<void> {
    await this.db.run(async (tx) => {
      const found = await this.changes.byId(tx, id);
      if (!found) throw new Fault('not-found', { change: id });
      await this.groups.lock(tx, found.mlsGroupId);
      await this.takeBack(tx, (await this.changes.byId(tx, id))!);
    });
  }

  /** The same in a group that is locked. Throws `change.under-way`, `change.settled`. */
  async takeBack(tx: Tx, change: Change): Promise<void> {
    const { id, state } = change;
    if (state === 'withdrawn') return;
    if (!OPEN_STATES.includes(state)) throw new Fault('change.settled', { change: id, state });
    if (isUnderWay(change)) throw new Fault('change.under-way', { change: id });
    await this.changes.save(tx, { ...change, state: 'withdrawn' });
    await this.queue.withdraw(tx, change);
  }

  /** No group grows over a server that may not take part, before anybody is asked or proposes anything. */
  private async assertLetIn(tx: Tx, subject: OcmAddress): Promise<void> {
    const { kind } = await this.trust.standing(hostOf(subject), tx);
    if (kind === 'allowed') return;
    const code = kind === 'held' ? 'change.peer-held' : 'change.peer-refused';
    throw new Fault(code, { subject, provider: hostOf(subject) });
  }

  /** The servers of the admins take no more either. */
  private async assertRoom(tx: Tx, { mlsGroupId, address }: Group, { kind, subject, actor }: InGroup): Promise<void> {
    const open = (await this.changes.open(tx, mlsGroupId)).filter((change) => change.actor === actor);
    if (open.length >= MOST_PROPOSED) throw new Fault('approval.flood', { group: address, kind, subject, actor });
  }

  /** Somebody may ask why this did not happen. */
  async noteRefusal({ kind, group: address, subject, actor }: Wish, error: unknown): Promise<void> {
    if (!isFault(error) || error.retry) return;
    const { code } = error;
    await this.audit.refused(async (tx) => {
      const group = await this.groups.byAddress(tx, address);
      return group && { act: 'wish.refused', actor, subject, group, epoch: group.epoch, code, facts: { kind } };
    });
  }
}

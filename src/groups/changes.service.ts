import { Injectable } from '@nestjs/common';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault, type FaultCode, isFault } from '../kernel/fault.js';
import { AuditService } from '../platform/audit.service.js';
import { Config } from '../platform/config.js';
import { Idempotency, type IdempotencyKey } from '../platform/idempotency.repository.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { type Change, type ChangeKind, firstState } from './change.js';
import { ChangeRepository } from './change.repository.js';
import type { Group } from './group.js';
import { GroupRepository } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import { COMMITTING, withoutQuiet } from './proposals.service.js';

/** The name of the worker that fetches KeyPackages. */
export const PREPARING = 'groups.preparing';

/** The name of the worker that reinitialises groups. */
export const REINITIALISING = 'groups.reinitialising';

/** Who begins a change of each kind, where nobody else than the committing worker does. */
const BEGINS: Partial<Record<ChangeKind, string>> = { add: PREPARING, reinit: REINITIALISING };

export interface Wish {
  readonly kind: ChangeKind;
  readonly group: OcmAddress;
  readonly subject: OcmAddress;
  /** The admin, at home here, in whose name this is asked. */
  readonly actor: OcmAddress;
}

/** What people of this server ask for. Asking is approving (OCM-MLS ); the rest happens by itself. */
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
    private readonly idempotency: Idempotency,
    private readonly audit: AuditService,
    private readonly poller: Poller,
  ) {}

  /**
   * Takes a wish down, to be carried out in the background. Throws `group.not-found`, `group.left`,
   * `change.not-local`, `change.not-admin`, or why the wish makes no sense as the group stands now.
   */
  async request(wish: Wish, key?: IdempotencyKey): Promise<string> {
    try {
      const { id } = await this.db.run((tx) =>
        this.idempotency.once(tx, key, async () => ({ id: await this.requestIn(tx, wish) })),
      );
      return id;
    } catch (error) {
      await this.noteRefusal(wish, error);
      throw error;
    }
  }

  /** Throws `not-found`. */
  async get(id: string): Promise<Change> {
    const change = await this.db.run((tx) => this.changes.byId(tx, id));
    if (!change) throw new Fault('not-found', { change: id });
    return change;
  }

  /** The latest 100, newest first. Throws `group.not-found`. */
  async ofGroup(address: OcmAddress): Promise<Change[]> {
    return this.db.run(async (tx) => {
      const group = await this.groups.byAddress(tx, address);
      if (!group) throw new Fault('group.not-found', { group: address });
      return this.changes.of(tx, group.mlsGroupId, 100);
    });
  }

  private async requestIn(tx: Tx, wish: Wish): Promise<string> {
    const known = await this.groups.byAddress(tx, wish.group);
    const group = known && (await this.groups.lock(tx, known.mlsGroupId));
    if (!group) throw new Fault('group.not-found', { group: wish.group });
    if (group.state === 'left') throw new Fault('group.left', { group: wish.group });
    const { mlsGroupId } = group;
    const fault = this.objection(wish, group, await this.members.isMember(tx, mlsGroupId, wish.subject));
    if (fault) throw new Fault(fault, { group: wish.group, subject: wish.subject, actor: wish.actor });

    const { kind, subject, actor } = wish;
    const now = this.clock.now();
    const id = this.dice.uuid();
    const begin = { state: firstState(kind), tries: 0, nextTryAt: now, requestedAt: now };
    await this.changes.add(tx, { id, mlsGroupId, kind, subject, actor, ...begin });
    if (group.quietUntil && !group.submitted) await this.groups.save(tx, group, withoutQuiet(group), now);
    this.db.afterCommit(tx, () => this.poller.wake(BEGINS[kind] ?? COMMITTING));
    return id;
  }

  /** Somebody may ask why this did not happen. */
  private async noteRefusal({ kind, group: address, subject, actor }: Wish, error: unknown): Promise<void> {
    if (!isFault(error) || error.retry) return;
    const { code } = error;
    await this.audit.refused(async (tx) => {
      const group = await this.groups.byAddress(tx, address);
      return group && { act: 'wish.refused', actor, subject, group, epoch: group.epoch, code, facts: { kind } };
    });
  }

  /** Said at once, while somebody listens; the Commit is judged again when it is made. */
  private objection({ kind, subject, actor }: Wish, group: Group, member: boolean): FaultCode | undefined {
    if (hostOf(actor) !== this.config.domain) return 'change.not-local';
    if (kind !== 'leave' && !group.admins.includes(actor)) return 'change.not-admin';
    if (kind === 'reinit') return undefined;
    if (kind === 'add') return member ? 'change.already-member' : undefined;
    if (!member) return 'change.not-member';
    const admin = group.admins.includes(subject);
    if (kind === 'appoint') return admin ? 'change.already-admin' : undefined;
    if (kind === 'remove' && subject === actor) return 'change.own-leaf';
    // whatever else happens, an admin stays.
    return admin && group.admins.length === 1 ? 'change.last-admin' : undefined;
  }
}

import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { FaultCode } from '../kernel/fault.js';
import type { CommitDigest, Epoch, MlsGroupId } from '../kernel/ids.js';
import type { GroupState } from './group.js';

/** What a person of this server asked to be changed in a group. */
export const CHANGE_KINDS = ['add', 'remove', 'appoint', 'dismiss', 'leave', 'reinit'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/**
 * `requested` -> `prepared` (an Add has its KeyPackage, a reinitialisation those of all members) -> `committing` (in a
 * Commit that waits for the owner server) -> `done` or `refused`. A Commit that lost the race takes its changes back to
 * `prepared`. What somebody asks who is no admin is `proposed` instead, to all admins, until it comes true. What nobody
 * asks for any more is `withdrawn`.
 */
export const CHANGE_STATES = [
  'requested',
  'prepared',
  'proposed',
  'committing',
  'done',
  'refused',
  'withdrawn',
] as const;
export type ChangeState = (typeof CHANGE_STATES)[number];

/** Not settled yet. */
export const OPEN_STATES: readonly ChangeState[] = ['requested', 'prepared', 'proposed', 'committing'];

/** What somebody asks for. */
export interface Wish {
  readonly kind: ChangeKind;
  readonly group: OcmAddress;
  readonly subject: OcmAddress;
  /** The member, at home here, in whose name this is asked: an admin, or who proposes it to them. */
  readonly actor: OcmAddress;
}

export interface Change {
  readonly id: string;
  readonly mlsGroupId: MlsGroupId;
  readonly kind: ChangeKind;
  /** Whose membership or role changes. For `reinit`, the group's own address. */
  readonly subject: OcmAddress;
  /**
   * The admin who asked or approved: the explicit approval of OCM-MLS. For `leave`, the leaver; for what is
   * `proposed`, the member who proposes it.
   */
  readonly actor: OcmAddress;
  /** An admin asked for it, or approved it: `actor`. */
  readonly approved: boolean;
  readonly state: ChangeState;
  /** An Add's KeyPackage as fetched and checked. */
  readonly keyPackage?: Uint8Array;
  /** The Commit that carries it. */
  readonly digest?: CommitDigest;
  /** For `leave` and what is `proposed`: the epoch in which it was last proposed. */
  readonly proposedIn?: Epoch;
  /** For `done`: the epoch in which it holds. */
  readonly epoch?: Epoch;
  readonly fault?: FaultCode;
  readonly tries: number;
  readonly nextTryAt: Date;
  readonly requestedAt: Date;
}

/** A change that is not settled, as it is shown beside others. */
export interface Unsettled extends Pick<Change, 'id' | 'mlsGroupId' | 'kind' | 'subject' | 'actor' | 'state'> {
  readonly group: OcmAddress;
  readonly requestedAt: Date;
}

type Begun = Pick<Change, 'kind' | 'approved'>;

/** The state in which a change begins: only what adds somebody, if but to a successor, has something to fetch first. */
export const firstState = (change: Begun): ChangeState =>
  change.kind === 'add' || (change.kind === 'reinit' && change.approved) ? 'requested' : readyState(change);

/** The state of a change that has all it needs: what an admin asked is committed, all else is proposed to the admins. */
export const readyState = ({ kind, approved }: Begun): ChangeState =>
  approved || kind === 'leave' ? 'prepared' : 'proposed';

/** Too late to take it back. A leave that was proposed is committed by whoever has it, without asking. */
export const isUnderWay = ({ kind, state, proposedIn }: Pick<Change, 'kind' | 'state' | 'proposedIn'>): boolean =>
  state === 'committing' || (kind === 'leave' && proposedIn !== undefined);

/** How long something is proposed before it is given up. D-13 */
export const PROPOSED_FOR_MS = 30 * 86_400_000;

/** So much of what one member proposes in a group may be open; more would be refused by the servers of the admins. */
export const MOST_PROPOSED = 20;

/** The group as it stands after a Commit. */
interface Standing {
  /** Left: no user of this server is a member any more, so nothing can be done for who asked. */
  readonly state: GroupState;
  readonly epoch: Epoch;
  readonly admins: readonly OcmAddress[];
  readonly members: ReadonlySet<OcmAddress>;
}

/** Whether what was asked has come true, by our own Commit or by another's. */
export function fulfilled(
  { kind, subject }: Pick<Change, 'kind' | 'subject'>,
  { state, admins, members }: Pick<Standing, 'state' | 'admins' | 'members'>,
): boolean {
  switch (kind) {
    case 'add':
      return members.has(subject);
    case 'remove':
    case 'leave':
      return !members.has(subject);
    case 'appoint':
      return admins.includes(subject);
    case 'dismiss':
      return !admins.includes(subject);
    case 'reinit':
      return state === 'suspended';
  }
}

/** An open change after a Commit: done, without hope, or free to be committed in the new epoch. OCM-MLS */
export function afterCommit(change: Change, standing: Standing): Change {
  const { digest: _, ...free } = change;
  if (fulfilled(change, standing)) return { ...free, state: 'done', epoch: standing.epoch };
  if (standing.state === 'left') return { ...free, state: 'refused', fault: 'group.left' };
  if (change.state === 'proposed' && !standing.members.has(change.actor)) {
    return { ...free, state: 'refused', fault: 'change.not-member' };
  }
  return change.state === 'committing' ? { ...free, state: 'prepared' } : change;
}

/**
 * An open change, or one that came true on a way that the group has left again: to be carried out once more. A
 * KeyPackage that was used there is not used again (OCM-MLS R-041), and what was proposed there is proposed anew (D-13).
 */
export function afterRevert(change: Change, now: Date): Change {
  if (change.state === 'requested') return change;
  const { epoch: _, proposedIn: __, digest: ___, keyPackage, ...rest } = change;
  const used = change.state === 'done';
  return {
    ...rest,
    ...(keyPackage && !used ? { keyPackage } : {}),
    state: used ? firstState(change) : readyState(change),
    ...(used ? { tries: 0, nextTryAt: now } : {}),
  };
}

/** Somebody of this server, what they want, and the group as it stands. */
interface Wanting {
  readonly here: Host;
  readonly admins: readonly OcmAddress[];
  readonly isMember: (address: OcmAddress) => boolean;
}

/**
 * Why a wish makes no sense as the group stands: said at once, while somebody listens, and again before it is proposed;
 * what is committed is judged once more by the plan. Any member may ask (OCM-MLS: an admin's asking is the
 * approval, anybody else's is a proposal).
 */
export function objectionTo(
  { kind, subject, actor }: Pick<Change, 'kind' | 'subject' | 'actor'>,
  { here, admins, isMember }: Wanting,
): FaultCode | undefined {
  if (hostOf(actor) !== here) return 'change.not-local';
  if (!isMember(actor)) return 'change.not-member';
  if (kind === 'reinit') return undefined;
  if (kind === 'add') return isMember(subject) ? 'change.already-member' : undefined;
  if (!isMember(subject)) return 'change.not-member';
  const admin = admins.includes(subject);
  if (kind === 'appoint') return admin ? 'change.already-admin' : undefined;
  if (kind === 'dismiss' && !admin) return 'change.no-admin';
  if (kind === 'remove' && subject === actor) return 'change.own-leaf';
  // whatever else happens, an admin stays.
  return admin && admins.length === 1 ? 'change.last-admin' : undefined;
}

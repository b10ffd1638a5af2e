import type { OcmAddress } from '../kernel/address.js';
import type { FaultCode } from '../kernel/fault.js';
import type { CommitDigest, Epoch, MlsGroupId } from '../kernel/ids.js';
import type { GroupState } from './group.js';

/** What a person of this server asked to be changed in a group. */
export const CHANGE_KINDS = ['add', 'remove', 'appoint', 'dismiss', 'leave', 'reinit'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/**
 * `requested` -> `prepared` (an Add has its KeyPackage, a reinitialisation those of all members) -> `committing` (in a Commit that waits for the owner server)
 * -> `done` or `refused`. A Commit that lost the race takes its changes back to `prepared`.
 */
export const CHANGE_STATES = ['requested', 'prepared', 'committing', 'done', 'refused'] as const;
export type ChangeState = (typeof CHANGE_STATES)[number];

export interface Change {
  readonly id: string;
  readonly mlsGroupId: MlsGroupId;
  readonly kind: ChangeKind;
  /** Whose membership or role changes. For `reinit`, the group's own address. */
  readonly subject: OcmAddress;
  /** The admin who asked: the explicit approval of OCM-MLS. For `leave`, the leaver. */
  readonly actor: OcmAddress;
  readonly state: ChangeState;
  /** An Add's KeyPackage as fetched and checked. */
  readonly keyPackage?: Uint8Array;
  /** The Commit that carries it. */
  readonly digest?: CommitDigest;
  /** For `leave`: the epoch in which it was last proposed. */
  readonly proposedIn?: Epoch;
  /** For `done`: the epoch in which it holds. */
  readonly epoch?: Epoch;
  readonly fault?: FaultCode;
  readonly tries: number;
  readonly nextTryAt: Date;
  readonly requestedAt: Date;
}

/** The state in which a change begins: only what adds somebody has something to fetch first. */
export const firstState = (kind: ChangeKind): ChangeState =>
  kind === 'add' || kind === 'reinit' ? 'requested' : 'prepared';

/** The group as it stands after a Commit. */
interface Standing {
  /** Left: no user of this server is a member any more, so nothing can be done for who asked. */
  readonly state: GroupState;
  readonly epoch: Epoch;
  readonly admins: readonly OcmAddress[];
  readonly members: ReadonlySet<OcmAddress>;
}

/** Whether what was asked has come true, by our own Commit or by another's. */
export function fulfilled({ kind, subject }: Change, { state, admins, members }: Standing): boolean {
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
    state: used ? firstState(change.kind) : 'prepared',
    ...(used ? { tries: 0, nextTryAt: now } : {}),
  };
}

import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { FaultCode } from '../kernel/fault.js';
import type { Change } from './change.js';

/** A self-removal that waits to be committed by reference (D-12). */
export interface QueuedLeave {
  readonly ref: string;
  readonly leaver: OcmAddress;
  readonly proposal: Uint8Array;
}

export interface CommitPlan {
  readonly committer: OcmAddress;
  readonly add: readonly { readonly address: OcmAddress; readonly keyPackage: Uint8Array }[];
  readonly remove: readonly OcmAddress[];
  /** The whole new admin set, when it changes. */
  readonly admins?: readonly OcmAddress[];
  readonly leaves: readonly QueuedLeave[];
  /** The changes that this Commit settles. */
  readonly covers: readonly string[];
}

export interface Planned {
  readonly plan?: CommitPlan;
  /** Changes that came true without us, e.g. someone else added the same user. */
  readonly moot: readonly string[];
  /** Changes that can never be committed as the group stands now. */
  readonly refused: readonly { readonly id: string; readonly fault: FaultCode }[];
}

interface Standing {
  readonly here: Host;
  readonly admins: readonly OcmAddress[];
  readonly members: readonly OcmAddress[];
}

/** One Commit carries at most so many changes: it must fit a letter, and a loser is made anew. */
export const MOST_CHANGES = 64;

/**
 * Gathers what was asked into one Commit. Whose membership ends loses the admin role in the same Commit
 * (OCM-MLS ); a new admin is appended; nobody removes the last admin; the committer
 * is an admin of this server whose own leaf stays.
 * @param changes prepared ones of this group, oldest first
 * @param leaves self-removals proposed in the current epoch; they need no approval
 */
export function planCommit(standing: Standing, changes: readonly Change[], leaves: readonly QueuedLeave[]): Planned {
  const { here, members } = standing;
  const draft = new Draft(standing.admins, new Set(members));
  const moot: string[] = [];
  const refused: { id: string; fault: FaultCode }[] = [];

  const accepted = leaves.filter(({ leaver }) => draft.leave(leaver));
  for (const change of changes.slice(0, MOST_CHANGES)) {
    const outcome = draft.take(change);
    if (outcome === 'moot') moot.push(change.id);
    else if (outcome !== 'taken' && outcome !== 'later') refused.push({ id: change.id, fault: outcome });
  }

  const committer = draft.committer(here);
  const nothing = draft.taken.length === 0 && accepted.length === 0;
  if (nothing || committer === undefined) return { moot, refused };
  const plan: CommitPlan = {
    committer,
    add: draft.taken.flatMap(({ kind, subject, keyPackage }) =>
      kind === 'add' && keyPackage ? [{ address: subject, keyPackage }] : [],
    ),
    remove: draft.taken.filter(({ kind }) => kind === 'remove').map(({ subject }) => subject),
    leaves: accepted,
    covers: draft.taken.map(({ id }) => id),
    ...(draft.adminsChanged ? { admins: draft.admins } : {}),
  };
  return { plan, moot, refused };
}

/** The group as it will stand after the Commit, change by change. */
class Draft {
  admins: readonly OcmAddress[];
  readonly taken: Change[] = [];
  private readonly gone = new Set<OcmAddress>();
  private readonly touched = new Set<OcmAddress>();

  constructor(
    private readonly before: readonly OcmAddress[],
    private readonly members: Set<OcmAddress>,
  ) {
    this.admins = before;
  }

  get adminsChanged(): boolean {
    return this.admins.length !== this.before.length || this.admins.some((admin, i) => admin !== this.before[i]);
  }

  /** False for the same leaver twice, and when no admin would be left: the leaver waits until another is appointed. */
  leave(leaver: OcmAddress): boolean {
    if (!this.members.has(leaver) || this.gone.has(leaver) || !this.canSpare(leaver)) return false;
    this.end(leaver);
    return true;
  }

  take(change: Change): 'taken' | 'moot' | 'later' | FaultCode {
    const { kind, subject, actor } = change;
    if (!this.before.includes(actor)) return 'change.not-admin';
    // Two changes of one user do not go into one Commit: they would name the same leaf twice.
    if (this.touched.has(subject)) return 'later';
    const verdict = this.judge(change);
    if (verdict !== 'taken') return verdict;
    // The actor's own resignation goes alone: the Welcome of an Add is taken from an admin of the new epoch.
    const resigns = kind === 'dismiss' && subject === actor;
    if (this.taken.some(({ kind: other, subject: who, actor: by }) => other === 'dismiss' && who === by))
      return 'later';
    if (resigns && this.taken.length > 0) return 'later';
    if (kind === 'remove') this.end(subject);
    if (kind === 'dismiss') this.admins = this.admins.filter((admin) => admin !== subject);
    if (kind === 'appoint') this.admins = [...this.admins, subject];
    this.touched.add(subject);
    this.taken.push(change);
    return 'taken';
  }

  /** An admin of this server who is so before the Commit and still a member after it; who asked first goes first. */
  committer(here: Host): OcmAddress | undefined {
    const able = this.before.filter((admin) => hostOf(admin) === here && !this.gone.has(admin));
    return this.taken.map(({ actor }) => actor).find((actor) => able.includes(actor)) ?? able[0];
  }

  private judge({ kind, subject, actor }: Change): 'taken' | 'moot' | FaultCode {
    const member = this.members.has(subject) && !this.gone.has(subject);
    const admin = this.admins.includes(subject);
    switch (kind) {
      case 'add':
        return member ? 'moot' : 'taken';
      case 'remove':
        if (!member) return 'moot';
        if (subject === actor) return 'change.own-leaf';
        return this.canSpare(subject) ? 'taken' : 'change.last-admin';
      case 'appoint':
        if (!member) return 'change.not-member';
        return admin ? 'moot' : 'taken';
      case 'dismiss':
        if (!admin) return 'moot';
        return this.canSpare(subject) ? 'taken' : 'change.last-admin';
      case 'leave':
        return 'change.own-leaf';
    }
  }

  private canSpare(address: OcmAddress): boolean {
    return this.admins.some((admin) => admin !== address);
  }

  private end(address: OcmAddress): void {
    this.gone.add(address);
    this.touched.add(address);
    this.admins = this.admins.filter((admin) => admin !== address);
  }
}

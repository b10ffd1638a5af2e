import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { FaultCode } from '../kernel/fault.js';
import type { Change } from './change.js';

/** What is committed without anybody's approval, by reference (D-12). OCM-MLS */
export type AutomaticKind = 'remove-self' | 'update';

export interface CarriedProposal {
  readonly kind: AutomaticKind;
  readonly proposer: OcmAddress;
  /** The MLSMessage, as it was sent. */
  readonly proposal: Uint8Array;
}

/** A user with the KeyPackage that takes the user in. */
export interface Entrant {
  readonly address: OcmAddress;
  readonly keyPackage: Uint8Array;
}

/** What is to be brought about in a group. */
export interface Wishes {
  /** Prepared ones, oldest first. */
  readonly changes: readonly Change[];
  /** Proposals made in the current epoch. */
  readonly proposals: readonly CarriedProposal[];
  /** Members whose servers lost their state. */
  readonly rejoins?: readonly Entrant[];
  /** Stale admins at whose place this server takes over. */
  readonly evict?: readonly OcmAddress[];
  /** Admins of this server whose own leaves are to be renewed: an UpdatePath does it (D-15). */
  readonly refresh?: readonly OcmAddress[];
}

export interface CommitPlan {
  readonly committer: OcmAddress;
  readonly add: readonly Entrant[];
  readonly remove: readonly OcmAddress[];
  /** A Remove and an Add each. */
  readonly rejoin: readonly Entrant[];
  /** The whole new admin set, when it changes. */
  readonly admins?: readonly OcmAddress[];
  readonly proposals: readonly CarriedProposal[];
  /** A ReInit, which is committed alone. OCM-MLS R-142 */
  readonly reinit?: true;
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

export interface Standing {
  readonly here: Host;
  readonly admins: readonly OcmAddress[];
  readonly members: readonly OcmAddress[];
}

/** One Commit carries at most so many changes: it must fit a letter, and a loser is made anew. */
export const MOST_CHANGES = 64;
/** Updates and rejoin pairs are many where many users are at home on one server. */
const MOST_LEAVES = 256;

/**
 * Gathers what was asked into one Commit. Whose membership ends loses the admin role in the same Commit
 * (OCM-MLS ); a new admin is appended; nobody removes the last admin; the committer
 * is an admin of this server whose own leaf stays, and nobody commits an Update of their own leaf
 * (RFC 9420 section 12.2). Self-removals, Updates and rejoin pairs need no approval.
 */
export function planCommit(standing: Standing, wishes: Wishes): Planned {
  const { here, members } = standing;
  const draft = new Draft(standing.admins, new Set(members));
  const moot: string[] = [];
  const refused: { id: string; fault: FaultCode }[] = [];

  const ofKind = (wanted: AutomaticKind) => wishes.proposals.filter(({ kind }) => kind === wanted);
  const leaves = ofKind('remove-self').filter(({ proposer }) => draft.leave(proposer));
  const evicted = (wishes.evict ?? []).filter((admin) => draft.leave(admin));
  const rejoin = (wishes.rejoins ?? []).slice(0, MOST_LEAVES).filter(({ address }) => draft.replace(address));
  const later: Change[] = [];
  for (const change of wishes.changes.slice(0, MOST_CHANGES)) {
    const outcome = draft.take(change);
    if (outcome === 'moot') moot.push(change.id);
    else if (outcome === 'later') later.push(change);
    else if (outcome !== 'taken') refused.push({ id: change.id, fault: outcome });
  }

  const refresh = wishes.refresh ?? [];
  const committer = draft.committer(here, refresh);
  const updates = ofKind('update')
    .filter(({ proposer }) => proposer !== committer && draft.update(proposer))
    .slice(0, MOST_LEAVES);
  const renewed = refresh.filter((admin) => admin === committer);
  const carried = [leaves, evicted, rejoin, updates, draft.taken, renewed];
  if (committer === undefined) return { moot, refused };
  if (carried.every(({ length }) => length === 0)) {
    const reinit = later.find(({ kind }) => kind === 'reinit');
    return { ...(reinit && { plan: planReinit(reinit) }), moot, refused };
  }
  const plan: CommitPlan = {
    committer,
    add: draft.taken.flatMap(({ kind, subject, keyPackage }) =>
      kind === 'add' && keyPackage ? [{ address: subject, keyPackage }] : [],
    ),
    remove: [...evicted, ...draft.taken.filter(({ kind }) => kind === 'remove').map(({ subject }) => subject)],
    rejoin,
    proposals: [...leaves, ...updates],
    covers: draft.taken.map(({ id }) => id),
    ...(draft.adminsChanged ? { admins: draft.admins } : {}),
  };
  return { plan, moot, refused };
}

/** Alone (OCM-MLS R-142), when nothing else is to be brought about; by the admin who asked, which approves it. */
const planReinit = ({ id, actor }: Change): CommitPlan => ({
  committer: actor,
  add: [],
  remove: [],
  rejoin: [],
  proposals: [],
  reinit: true,
  covers: [id],
});

/** The group as it will stand after the Commit, change by change. */
class Draft {
  admins: readonly OcmAddress[];
  readonly taken: Change[] = [];
  private readonly gone = new Set<OcmAddress>();
  private readonly rejoined = new Set<OcmAddress>();
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

  /** False when the member's leaf goes in this Commit, or is named in it already. */
  replace(member: OcmAddress): boolean {
    if (!this.members.has(member) || this.touched.has(member)) return false;
    this.rejoined.add(member);
    this.touched.add(member);
    return true;
  }

  /** An Update beside a Remove of the same leaf is not allowed; beside a change of the admin set it is. */
  update(member: OcmAddress): boolean {
    return this.members.has(member) && !this.gone.has(member) && !this.rejoined.has(member);
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

  /**
   * An admin of this server who is so before the Commit and whose leaf stays; who asked first goes first, then whose own
   * leaf is to be renewed.
   */
  committer(here: Host, refresh: readonly OcmAddress[]): OcmAddress | undefined {
    const stays = (admin: OcmAddress) => !this.gone.has(admin) && !this.rejoined.has(admin);
    const able = this.before.filter((admin) => hostOf(admin) === here && stays(admin));
    const wanted = [...this.taken.map(({ actor }) => actor), ...refresh];
    return wanted.find((admin) => able.includes(admin)) ?? able[0];
  }

  private judge({ kind, subject, actor }: Change): 'taken' | 'moot' | 'later' | FaultCode {
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
      case 'reinit':
        return 'later';
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

import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import { type ChangeKind, fulfilled } from './change.js';
import type { Group } from './group.js';

/** What has to be approved by an admin of the group. OCM-MLS */
export const APPROVAL_KINDS = ['add', 'remove', 'appoint', 'dismiss', 'reinit', 'evict'] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

/**
 * `open` until an admin of this server decides (`approved`, `declined`), it comes true in another way (`fulfilled`), or
 * nobody asks for it any more (`lapsed`).
 */
export const APPROVAL_STATES = ['open', 'approved', 'declined', 'lapsed', 'fulfilled'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** What a proposal asks for. `evict` is asked by this server itself, for a member whose leaf is stale. */
export interface Ask {
  readonly kind: ApprovalKind;
  /** Whose membership or role would change; the group itself for `reinit`. */
  readonly subject: OcmAddress;
  readonly proposer?: OcmAddress;
  /** The ProposalRef in hex, and the epoch in which the proposal is good. */
  readonly ref?: string;
  readonly epoch?: Epoch;
}

export interface Approval extends Ask {
  readonly id: string;
  readonly mlsGroupId: MlsGroupId;
  readonly state: ApprovalState;
  readonly requestedAt: Date;
  /** Set by a Commit that did not bring it: when it lapses, unless it is proposed anew (D-13). */
  readonly dueAt?: Date;
  readonly decidedBy?: OcmAddress;
  readonly decidedAt?: Date;
  readonly reason?: string;
  /** The change that was made of it. */
  readonly changeId?: string;
}

/** A proposer whose server is well proposes anew within minutes of a Commit. */
export const LAPSES_AFTER_MS = 3_600_000;
/** What was declined is not shown again for so long, however often it is proposed. */
export const DECLINED_FOR_MS = 30 * 86_400_000;
/** So much may wait in a group for one member, and for all members of one server: a flood delays nobody else. */
export const MOST_OF_A_PROPOSER = 20;
export const MOST_OF_A_SERVER = 100;

/** The change that an approval becomes. */
export const CHANGE_OF: Readonly<Record<ApprovalKind, ChangeKind>> = {
  add: 'add',
  remove: 'remove',
  appoint: 'appoint',
  dismiss: 'dismiss',
  evict: 'remove',
  reinit: 'reinit',
};

interface Proposed {
  readonly kind: string;
  readonly ref: string;
  readonly epoch: Epoch;
  readonly sender: OcmAddress;
  readonly target?: OcmAddress;
  readonly admins?: readonly OcmAddress[];
}

/**
 * What a proposal asks for, one ask for each user. A new admin set asks for each difference: an approved one is committed
 * by value (D-12), so the others may be declined. Empty for what changes nothing.
 */
export function asksOf({ kind, ref, epoch, sender, target, admins }: Proposed, group: Group): Ask[] {
  const ask = (asked: ApprovalKind, subject: OcmAddress): Ask => ({
    kind: asked,
    subject,
    proposer: sender,
    ref,
    epoch,
  });
  if (kind === 'reinit') return [ask('reinit', group.address)];
  if (kind === 'add' || kind === 'remove') return target === undefined ? [] : [ask(kind, target)];
  if (kind !== 'admin-set' || !admins) return [];
  return [
    ...group.admins.filter((admin) => !admins.includes(admin)).map((admin) => ask('dismiss', admin)),
    ...admins.filter((admin) => !group.admins.includes(admin)).map((admin) => ask('appoint', admin)),
  ];
}

/** What becomes of an ask, given the last approval of the same kind, subject and proposer. OCM-MLS R-014 */
export type Filing = 'new' | 'known' | 'renewed' | 'declined';

/** @param underWay whether the change that `last` became is still open */
export function filingOf(ask: Ask, last: Approval | undefined, underWay: boolean, now: Date): Filing {
  if (!last) return 'new';
  if (last.state === 'declined')
    return now.getTime() < last.decidedAt!.getTime() + DECLINED_FOR_MS ? 'declined' : 'new';
  // The same proposal again, e.g. since our answer was lost.
  if (last.ref === ask.ref && ask.ref !== undefined) return 'known';
  if (last.state === 'open') return ask.ref === undefined ? 'known' : 'renewed';
  return last.state === 'approved' && underWay ? 'known' : 'new';
}

interface Standing extends Pick<Group, 'state' | 'epoch' | 'admins'> {
  readonly here: Host;
  readonly members: ReadonlySet<OcmAddress>;
  /** Whose leaves got new keys on the way. */
  readonly renewed: ReadonlySet<OcmAddress>;
}

/** An open approval once the group has moved on: fulfilled, lapsed, or waiting to be proposed anew for a while (D-13). */
export function afterEpoch(approval: Approval, standing: Standing, now: Date): Approval {
  const { state, epoch, here, admins, members, renewed } = standing;
  const { dueAt: _, ...rest } = approval;
  const kind = CHANGE_OF[approval.kind];
  if (kind && fulfilled({ kind, subject: approval.subject }, standing)) return { ...rest, state: 'fulfilled' };
  const someoneDecides = state === 'active' && admins.some((admin) => hostOf(admin) === here);
  const { proposer } = approval;
  const isMoot = approval.kind === 'evict' && renewed.has(approval.subject);
  if (!someoneDecides || isMoot || (proposer && !members.has(proposer))) return { ...rest, state: 'lapsed' };
  if (!proposer || approval.dueAt || approval.epoch === epoch) return approval;
  return { ...rest, dueAt: new Date(now.getTime() + LAPSES_AFTER_MS) };
}

/** What an approval would change, in the words of who has to decide. */
export interface Effect {
  readonly joins: readonly OcmAddress[];
  readonly leaves: readonly OcmAddress[];
  readonly serversJoin: readonly Host[];
  readonly serversLeave: readonly Host[];
  readonly adminsAppointed: readonly OcmAddress[];
  readonly adminsDismissed: readonly OcmAddress[];
  /** Where it moves. */
  readonly ownerServer?: Host;
}

/** What an admin is asked, and what it would change while it is open. */
export interface ApprovalPicture {
  readonly approval: Approval;
  readonly group: OcmAddress;
  readonly effect?: Effect;
}

interface Roster extends Pick<Group, 'admins'> {
  readonly members: readonly OcmAddress[];
}

export function effectOf({ kind, subject }: Pick<Ask, 'kind' | 'subject'>, before: Roster): Effect {
  const goes = kind === 'remove' || kind === 'evict';
  const members = goes ? before.members.filter((member) => member !== subject) : [...before.members];
  if (kind === 'add') members.push(subject);
  const admins = goes || kind === 'dismiss' ? before.admins.filter((admin) => admin !== subject) : [...before.admins];
  if (kind === 'appoint') admins.push(subject);
  const [servers, serversAfter] = [before.members.map(hostOf), members.map(hostOf)];
  const [owner, ownerAfter] = [before.admins[0], admins[0]].map((admin) => admin && hostOf(admin));
  return {
    joins: missing(members, before.members),
    leaves: missing(before.members, members),
    serversJoin: missing(serversAfter, servers),
    serversLeave: missing(servers, serversAfter),
    adminsAppointed: missing(admins, before.admins),
    adminsDismissed: missing(before.admins, admins),
    ...(ownerAfter && ownerAfter !== owner ? { ownerServer: ownerAfter } : {}),
  };
}

/** Those of `all` that are not in `some`, each once. */
const missing = <T>(all: readonly T[], some: readonly T[]): T[] =>
  [...new Set(all)].filter((one) => !some.includes(one));

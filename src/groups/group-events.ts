import type { OcmAddress } from '../kernel/address.js';
import { type FeedEvent, MOST_MEMBERS } from '../feed/event.js';
import type { Approval } from './approval.js';
import type { Change } from './change.js';
import { type Group, type GroupState, ownerServer } from './group.js';

type GroupType = Extract<FeedEvent, { type: `group.${string}` }>['type'];

const of = (type: GroupType, group: Group): FeedEvent => {
  const { mlsGroupId, address, epoch, instance, state, admins } = group;
  const data = { group: address, mlsGroupId, epoch, instance, state, admins: [...admins] };
  return { type, data: { ...data, ownerServer: ownerServer(group) } };
};

/** A group that this server did not know. What is founded begins in epoch 0, whoever is welcomed comes later. */
export const appeared = (group: Group): FeedEvent => of(group.epoch === 0 ? 'group.founded' : 'group.joined', group);

const NOW: Readonly<Record<Exclude<GroupState, 'active'>, GroupType>> = {
  left: 'group.left',
  drifted: 'group.drifted',
  suspended: 'group.suspended',
  superseded: 'group.superseded',
};

/** What the feed tells of a group that was stored as another; nothing of what is of no interest to others. */
export function movedOn(before: Group, after: Group): FeedEvent[] {
  const events: FeedEvent[] = [];
  if (after.history !== before.history || after.epoch < before.epoch) events.push(of('group.reverted', after));
  else if (after.epoch > before.epoch) events.push(of('group.epoch', after));
  if (after.admins.join(' ') !== before.admins.join(' ')) events.push(of('group.admins', after));
  if (after.state === before.state) return events;
  if (after.state !== 'active') return [...events, of(NOW[after.state], after)];
  return [...events, of(before.state === 'left' ? 'group.joined' : 'group.recovered', after)];
}

/** Who came and who went. */
export interface RosterChange {
  readonly added: readonly OcmAddress[];
  readonly removed: readonly OcmAddress[];
}

/** First who went: somebody may have done both. */
export function rosterEvents(
  group: Pick<Group, 'mlsGroupId' | 'address' | 'epoch'>,
  change: RosterChange,
): FeedEvent[] {
  const { mlsGroupId, address, epoch } = group;
  const each = (type: 'members.added' | 'members.removed', members: readonly OcmAddress[]): FeedEvent[] =>
    Array.from({ length: Math.ceil(members.length / MOST_MEMBERS) }, (_, n) => {
      const some = members.slice(n * MOST_MEMBERS, (n + 1) * MOST_MEMBERS);
      return { type, data: { group: address, mlsGroupId, epoch, members: some } };
    });
  return [...each('members.removed', change.removed), ...each('members.added', change.added)];
}

const ASKED = {
  open: 'asked',
  approved: 'approved',
  declined: 'declined',
  lapsed: 'lapsed',
  fulfilled: 'fulfilled',
} as const;

export function approvalEvent({ id, kind, subject, proposer, decidedBy, state }: Approval, group: Group): FeedEvent {
  const data = { group: group.address, mlsGroupId: group.mlsGroupId, approval: id, kind, subject };
  const who = { ...(proposer && { proposer }), ...(decidedBy && { decidedBy }) };
  return { type: `approval.${ASKED[state]}`, data: { ...data, ...who } };
}

/** Of a change that is settled; nothing of others. */
export function changeEvents({ id, kind, subject, actor, state, epoch, fault }: Change, group: Group): FeedEvent[] {
  if (state !== 'done' && state !== 'refused' && state !== 'withdrawn') return [];
  const data = { group: group.address, mlsGroupId: group.mlsGroupId, change: id, kind, subject, actor };
  return [
    {
      type: `change.${state}`,
      data: { ...data, ...(epoch === undefined ? {} : { epoch }), ...(fault && { code: fault }) },
    },
  ];
}

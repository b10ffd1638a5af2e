import { z } from 'zod';

const address = z.string();
/** Of a group as it stood when that happened. */
const inGroup = { group: address, mlsGroupId: z.string(), epoch: z.int() };
const group = z.object({
  ...inGroup,
  /** 1 for the first group under this address, one more for each successor. */
  instance: z.int(),
  state: z.enum(['active', 'left', 'drifted', 'suspended', 'superseded']),
  admins: z.array(address),
  ownerServer: z.string(),
});
const members = z.object({ ...inGroup, members: z.array(address) });
const approval = z.object({
  group: address,
  mlsGroupId: z.string(),
  approval: z.string(),
  kind: z.string(),
  subject: address,
  proposer: address.optional(),
  decidedBy: address.optional(),
});
const change = z.object({
  group: address,
  mlsGroupId: z.string(),
  change: z.string(),
  kind: z.string(),
  subject: address,
  actor: address,
  epoch: z.int().optional(),
  code: z.string().optional(),
});
const share = z.object({ group: address, share: z.string(), sender: address, owner: address, resource: z.string() });
const answer = z.object({ group: address, share: z.string(), server: z.string(), providerId: z.string() });
const received = z.object({
  group: address,
  receivedShare: z.string(),
  from: z.string(),
  providerId: z.string(),
  sender: address,
  owner: address,
});

/**
 * Everything the feed tells of: what it means, and what it says. Nothing that is secret: who wants more asks for it.
 */
export const EVENTS = {
  'group.founded': { says: 'a user of this server founded the group', data: group },
  'group.joined': { says: 'users of this server are in the group from now on, or in its successor', data: group },
  'group.epoch': { says: 'the group entered this epoch', data: group },
  'group.reverted': { says: 'Commits were taken back: the group stands in this epoch of another history', data: group },
  'group.admins': { says: 'the admins of the group are others than before', data: group },
  'group.drifted': { says: 'this server lost the state of the group; the roster is as it was last known', data: group },
  'group.suspended': { says: 'the group ended with a ReInit and waits for its successor', data: group },
  'group.recovered': { says: 'the group can be changed again', data: group },
  'group.left': { says: 'no user of this server is in the group any more: forget its roster', data: group },
  'group.superseded': { says: 'the address belongs to a successor now: forget the roster', data: group },
  'members.added': { says: 'these are members from this epoch on', data: members },
  'members.removed': { says: 'these are no members any more from this epoch on', data: members },
  'approval.asked': { says: 'something waits for an admin of this server', data: approval },
  'approval.approved': { says: 'an admin of this server approved it', data: approval },
  'approval.declined': { says: 'an admin of this server declined it', data: approval },
  'approval.lapsed': { says: 'nobody asks for it any more', data: approval },
  'approval.fulfilled': { says: 'it came true in another way', data: approval },
  'change.done': { says: 'what was asked for holds from this epoch on', data: change },
  'change.refused': { says: 'what was asked for cannot be carried out; `code` says why', data: change },
  'change.withdrawn': { says: 'what was asked for is not wanted any more', data: change },
  'share.offered': { says: 'a user of this server shared a resource with the group', data: share },
  'share.changed': { says: 'the share gives other rights', data: share },
  'share.ended': { says: 'the share is over', data: share.extend({ reason: z.string() }) },
  'share.accepted': { says: 'a member server took the share', data: answer },
  'share.declined': { says: 'a member server refused the share', data: answer.extend({ why: z.string() }) },
  'received_share.received': { says: 'members of the group on this server can open the share', data: received },
  'received_share.changed': { says: 'it gives other rights', data: received },
  'received_share.ended': { says: 'it is over: taken back, or expired', data: received },
} as const satisfies Record<string, { readonly says: string; readonly data: z.ZodObject }>;

export type EventType = keyof typeof EVENTS;
export const EVENT_TYPES = Object.keys(EVENTS) as [EventType, ...EventType[]];

/** One thing that changed, as whoever changed it tells it. */
export type FeedEvent = {
  [T in EventType]: { readonly type: T; readonly data: Readonly<z.output<(typeof EVENTS)[T]['data']>> };
}[EventType];

/** An event that was given its place. Positions grow by one, without gaps. */
export interface PlacedEvent {
  readonly position: number;
  /** Of this event and all before it. */
  readonly mark: string;
  readonly type: EventType;
  readonly group: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly recordedAt: Date;
}

/** So many addresses are in one event at most: a large roster is told in several. */
export const MOST_MEMBERS = 100;

/** What events are asked for: types, or all of a kind (`group.*`), and a group. Empty: all. */
export interface EventFilter {
  readonly types?: readonly string[];
  readonly group?: string;
}

const KINDS = [...new Set(EVENT_TYPES.map((type) => `${type.slice(0, type.indexOf('.'))}.*`))];

/** A type of the catalogue, or a kind with `.*`. */
export const eventTypeField = z.enum([...EVENT_TYPES, ...KINDS] as [string, ...string[]]);

/** Every type that a filter lets through; undefined when it asks for none in particular. */
export function typesOf({ types }: EventFilter): readonly EventType[] | undefined {
  if (types === undefined) return undefined;
  return EVENT_TYPES.filter((type) => types.includes(type) || types.includes(`${type.slice(0, type.indexOf('.'))}.*`));
}

import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { Member } from '../mls/group-view.js';
import type { CommitDigest, Epoch, MlsGroupId } from '../kernel/ids.js';

/**
 * `active`; `left`: no user of this server is a member any more, the binding of the address to the group stays;
 * `drifted`: the epoch can no longer be reached from what is held here (OCM-MLS section 7.6); `suspended`: after a
 * ReInit, until its successor is joined (section 7.7); `superseded`: its address is bound to a successor.
 */
export const GROUP_STATES = ['active', 'left', 'drifted', 'suspended', 'superseded'] as const;
export type GroupState = (typeof GROUP_STATES)[number];

/** The states in which a group has a roster here. */
export const FOLLOWED: readonly GroupState[] = ['active', 'drifted', 'suspended'];

/** A member in the group's current epoch. */
export interface GroupMember extends Member {
  /** When the leaf was last renewed, as far as it was seen here: by joining, an Update or an UpdatePath (D-15). */
  readonly updatedAt: Date;
}

/** What this server knows of a federated group in its current epoch, secrets apart. */
export interface Group {
  readonly mlsGroupId: MlsGroupId;
  /** The group's OCM Address: a label for its whole life, never routed on (OCM-MLS ). */
  readonly address: OcmAddress;
  readonly epoch: Epoch;
  readonly state: GroupState;
  /** 1 for the first group under this address, one more for each successor (D-18). */
  readonly instance: number;
  /** How often the history of its Commits that is followed here was exchanged for another (D-18). */
  readonly history: number;
  /** In the order of the admin set; the first names the Group Owner Server. */
  readonly admins: readonly OcmAddress[];
  /** Our own Commit that waits for the owner server's word; while it waits no other is made. */
  readonly submitted?: CommitDigest;
  /** Nothing is committed or proposed of our own accord before. With `submitted`, when that is submitted again. */
  readonly quietUntil?: Date;
}

/** Whether its members are known here, and what is shared with them is theirs: also while nothing can be committed. */
export const isFollowed = ({ state }: Pick<Group, 'state'>): boolean => FOLLOWED.includes(state);

/** The home server of the first admin; succession is automatic. OCM-MLS R-072 */
export function ownerServer({ admins }: Pick<Group, 'admins'>): Host {
  return hostOf(admins[0]!);
}

/** The home servers of all admins, the owner's first, each once: where proposals go. OCM-MLS R-013 */
export function adminServers({ admins }: Pick<Group, 'admins'>): Host[] {
  return [...new Set(admins.map(hostOf))];
}

/** The home servers of the given members, each once. OCM-MLS R-006: routing looks at members, never at the label. */
export function memberServers(members: readonly OcmAddress[]): Host[] {
  return [...new Set(members.map(hostOf))];
}

/** What an operator or the admins should do something about. OCM-MLS R-225 */
export const GROUP_WARNINGS = ['single-admin', 'admins-on-one-server', 'server-refused', 'owner-refused'] as const;
export type GroupWarning = (typeof GROUP_WARNINGS)[number];

/** @param refused member servers that policy here holds or refuses: between them and this one nothing goes */
export function warningsOf(
  group: Pick<Group, 'admins'>,
  members: readonly OcmAddress[],
  refused: readonly Host[],
): GroupWarning[] {
  const [owner] = adminServers(group);
  return [
    ...fragility(group, members),
    ...(refused.length > 0 ? ['server-refused' as const] : []),
    ...(owner && refused.includes(owner) ? ['owner-refused' as const] : []),
  ];
}

/**
 * Whether one person, or one server, could take the group's life with them (OCM-MLS R-225). Nothing is said where nobody
 * else could be appointed.
 */
function fragility({ admins }: Pick<Group, 'admins'>, members: readonly OcmAddress[]): GroupWarning[] {
  if (admins.length === 1) return members.length > 1 ? ['single-admin'] : [];
  const onOneServer = adminServers({ admins }).length === 1 && memberServers(members).length > 1;
  return onOneServer ? ['admins-on-one-server'] : [];
}

/** A Commit as the log keeps it. `epoch` is the one it was made in; the group stood at `epoch + 1` after it. */
export interface CommitRecord {
  readonly mlsGroupId: MlsGroupId;
  readonly epoch: Epoch;
  readonly digest: CommitDigest;
  /** The HTTP signer who arbitrated it (D-14). */
  readonly arbiter: Host;
  readonly committer: OcmAddress;
  readonly added: readonly OcmAddress[];
  readonly removed: readonly OcmAddress[];
  readonly commit: Uint8Array;
  readonly proposals: readonly Uint8Array[];
  readonly recordedAt: Date;
}

/** A group as people and programs of this server see it. */
export interface GroupPicture {
  readonly group: Group;
  readonly owner: Host;
  readonly members: readonly GroupMember[];
  /** Members whose leaves were not renewed in time. OCM-MLS R-129 */
  readonly stale: readonly OcmAddress[];
  /** Member servers that policy here holds or refuses. */
  readonly refused: readonly Host[];
  readonly lastCommit?: Pick<CommitRecord, 'digest' | 'committer' | 'recordedAt'>;
}

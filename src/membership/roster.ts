import type { Group } from '../groups/group.js';
import type { OcmAddress } from '../kernel/address.js';

/** A group with all who are in it, of one moment. */
export interface Roster extends Pick<Group, 'mlsGroupId' | 'address' | 'epoch' | 'history' | 'state' | 'admins'> {
  /** In the order of the leaves; absent when nobody asked for them. */
  readonly members?: readonly OcmAddress[];
}

/** Which groups are looked for: those with one of these addresses, names or members. */
export interface GroupKeys {
  readonly ids: readonly string[];
  /** Addresses with their ASCII letters in lower case. */
  readonly names: readonly string[];
  readonly related: readonly string[];
}

/** Which groups, by address, and how many. */
export interface RosterPage {
  /** All that are followed when absent. */
  readonly keys?: GroupKeys | undefined;
  readonly after?: string | undefined;
  readonly offset?: number | undefined;
  readonly most: number;
  readonly withMembers: boolean;
}

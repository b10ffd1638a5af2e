import type { OcmAddress } from '../kernel/address.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';

export interface Member {
  readonly leafIndex: number;
  readonly address: OcmAddress;
}

/** What a group is in one epoch, for everybody who has no business with its keys. */
export interface GroupView {
  readonly mlsGroupId: MlsGroupId;
  readonly epoch: Epoch;
  /** The group's OCM Address: a label, never a route. OCM-MLS R-006 */
  readonly address: OcmAddress;
  /** In the order of succession: the home server of the first one owns the group. OCM-MLS R-072 */
  readonly admins: readonly OcmAddress[];
  readonly members: readonly Member[];
  /** Hex; empty in the last view of a removed leaf, which cannot derive it. RFC 9420 section 8.7 */
  readonly epochAuthenticator: string;
}

/** What a Commit did. A member whose leaf was replaced (a rejoin pair) is both in `added` and in `removed`. */
export interface CommitFacts {
  readonly committer: OcmAddress;
  readonly added: readonly OcmAddress[];
  readonly removed: readonly OcmAddress[];
  readonly before: GroupView;
  readonly after: GroupView;
}

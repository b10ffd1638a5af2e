import type { ClientState, GroupContext, RatchetTree } from 'ts-mls';
import { ocmAddress, type OcmAddress } from '../kernel/address.js';
import { toHex } from '../kernel/bytes.js';
import { epoch, mlsGroupId, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import { adminsOf, requireFederatedGroup } from './federated-group.js';
import { membersOf } from './roster.js';

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
  /** The group that takes its place, once a ReInit was committed: nothing is sent in this one any more. R-144 */
  readonly successor?: MlsGroupId;
}

/** What a Commit did. A member whose leaf was replaced (a rejoin pair) is both in `added` and in `removed`. */
export interface CommitFacts {
  readonly committer: OcmAddress;
  readonly added: readonly OcmAddress[];
  readonly removed: readonly OcmAddress[];
  /** Whose leaf got new keys: by an Update, or the committer by the UpdatePath (D-15). */
  readonly updated: readonly OcmAddress[];
  readonly before: GroupView;
  readonly after: GroupView;
}

/** Throws `group.not-federated` when the GroupContext lacks `ocm_federated_group`, and `credential.malformed`. */
export function viewAt(context: GroupContext, tree: RatchetTree, epochAuthenticator: string): GroupView {
  const group = requireFederatedGroup(context.extensions);
  return {
    mlsGroupId: mlsGroupId(context.groupId),
    epoch: epoch(context.epoch),
    address: ocmAddress(group.groupAddress),
    admins: adminsOf(group),
    members: membersOf(tree),
    epochAuthenticator,
  };
}

/** What the state shows of its group. Throws as `viewAt`. */
export function viewOf({ groupContext, ratchetTree, keySchedule, groupActiveState }: ClientState): GroupView {
  const view = viewAt(groupContext, ratchetTree, toHex(keySchedule.epochAuthenticator));
  if (groupActiveState.kind !== 'suspendedPendingReinit') return view;
  return { ...view, successor: mlsGroupId(groupActiveState.reinit.groupId) };
}

import type { ClientState } from 'ts-mls';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { epoch, type Epoch, mlsGroupId, type MlsGroupId } from '../kernel/ids.js';
import { clientState, type CommonState, type KeyedEpoch, type LeafState } from './stored-state.js';

/** One user of this server in a group. A user has exactly one leaf per group (OCM-MLS R-003). */
export interface LocalLeaf {
  readonly address: OcmAddress;
  readonly secrets: LeafState;
}

/** What this server holds of a group: only what belongs to its users' leaves (OCM-MLS R-004). */
export interface LocalGroup extends KeyedEpoch {
  readonly leaves: readonly LocalLeaf[];
}

export const idOf = ({ common }: KeyedEpoch): MlsGroupId => mlsGroupId(common.groupContext.groupId);
export const epochOf = ({ common }: KeyedEpoch): Epoch => epoch(common.groupContext.epoch);

/** Throws `mls.no-leaf` when the user has no leaf of ours in the group. */
export function stateOf(group: LocalGroup, address: OcmAddress): ClientState {
  const leaf = group.leaves.find((one) => one.address === address);
  if (!leaf) throw new Fault('mls.no-leaf', { group: idOf(group), address });
  return clientState(group.common, leaf.secrets);
}

/**
 * The epoch after `before`, which is kept for messages that come late; what was kept of older ones ends with it.
 * The ratchets of `before` are those of now, not those of the time when a Commit of ours was made.
 */
export const succeed = (before: CommonState, next: CommonState): CommonState => ({
  ...next,
  historicalReceiverData: new Map([
    [
      before.groupContext.epoch,
      {
        groupContext: before.groupContext,
        ratchetTree: before.ratchetTree,
        secretTree: before.secretTree,
        senderDataSecret: before.keySchedule.senderDataSecret,
        resumptionPsk: before.keySchedule.resumptionPsk,
      },
    ],
  ]),
});

/** Without what is kept of earlier epochs. */
export const alone = (common: CommonState): CommonState => ({ ...common, historicalReceiverData: new Map() });

import { type ClientState, createGroup, type KeyPackage, type PrivateKeyPackage } from 'ts-mls';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { isTagged } from './authenticity.js';
import { clientConfig } from './client-config.js';
import { assertAllTagged } from './commit-content.js';
import { commitFacts, ofType } from './commit-facts.js';
import { addressOf } from './credential.js';
import { enterEpoch } from './enter-epoch.js';
import { federatedGroupExtension, REQUIRED_CAPABILITIES, written } from './federated-group.js';
import { type CommitFacts, viewAt, viewOf } from './group-view.js';
import { followPublicly, type ReceivedCommit } from './public-group.js';
import { FEDERATED_GROUP_EXTENSION, type Suite } from './suite.js';

// The seam: whoever wants to move an MLS state goes through this file.
export { buildCommit, type BuiltCommit, type CommitOrder } from './commit.js';
export { commitDigest, type MessageHead, type MessageKind, readHead } from './mls-message.js';
export {
  type ProposalKind,
  proposeAdd,
  proposeAdmins,
  proposeReinit,
  proposeRemove,
  proposeUpdate,
  type ReadProposal,
  readProposal,
} from './proposal.js';
export type { ReceivedCommit } from './public-group.js';
export { createSuccessor } from './successor.js';
export { join, type Origin, welcomeOrigin, welcomeRefs } from './welcome.js';

export interface NewGroup {
  /** Fresh random bytes. OCM-MLS R-050 */
  readonly groupId: Uint8Array;
  /** Minted under the creating server's domain. OCM-MLS R-049 */
  readonly address: OcmAddress;
  readonly creator: { readonly keyPackage: KeyPackage; readonly privateKeys: PrivateKeyPackage };
}

/**
 * A group of one: the creator, who is its first admin. Throws `credential.malformed`, and `key-package.capabilities`
 * when the creator's leaf does not list `ocm_federated_group`. OCM-MLS
 */
export async function createFederatedGroup(
  { groupId, address, creator: { keyPackage, privateKeys } }: NewGroup,
  suite: Suite,
): Promise<ClientState> {
  const { credential, capabilities } = keyPackage.leafNode;
  const admin = addressOf(credential);
  if (!admin) throw new Fault('credential.malformed', { leafIndex: 0 });
  if (!capabilities.extensions.includes(FEDERATED_GROUP_EXTENSION)) throw new Fault('key-package.capabilities');
  const group = { groupAddress: written(address), admins: [written(admin)] };
  const extensions = [REQUIRED_CAPABILITIES, federatedGroupExtension(group)];
  return createGroup(groupId, keyPackage, privateKeys, extensions, suite, clientConfig());
}

export interface Advanced {
  readonly state: ClientState;
  /** Secrets of the old state, to be wiped after the new one is stored. OCM-MLS R-158 */
  readonly spent: readonly Uint8Array[];
  readonly facts: CommitFacts;
  /** The Commit removes the state's own leaf: nothing of the new epoch can be known to it. */
  readonly selfRemoved: boolean;
}

/**
 * Follows a Commit of another leaf into the next epoch; `state` is left as it is. It is judged by what is public first
 * (the faults of `followPublicly`), then by its membership tag (`commit.unauthentic`) and those of the proposals that it
 * covers. `commit.unopenable` comes after all of them: an admin's Commit that this state cannot follow, which is how a
 * fork shows (section 7.6). `commit.own-echo` is a Commit of the state's own leaf, to be recognised by its digest.
 * OCM-MLS R-098
 */
export async function advance(state: ClientState, received: ReceivedCommit, suite: Suite): Promise<Advanced> {
  const step = await followPublicly(state, received, suite);
  if (!(await isTagged(state, step.message, suite))) throw new Fault('commit.unauthentic');
  await assertAllTagged(state, step.carried, suite);
  const { intent, next } = step;
  const own = state.privatePath.leafIndex;
  if (intent.committer?.leafIndex === own) throw new Fault('commit.own-echo');
  const before = viewOf(state);
  if (ofType(intent.covered, 'remove').some(({ proposal }) => proposal.remove.removed === own)) {
    // The roster of the next epoch, but not its keys.
    const after = viewAt(next.groupContext, next.ratchetTree, '');
    const removed = {
      ...state,
      ratchetTree: next.ratchetTree,
      groupActiveState: { kind: 'removedFromGroup' },
    } as const;
    return { state: removed, spent: [], facts: commitFacts(intent, { before, after }), selfRemoved: true };
  }
  const entered = await enterEpoch(state, step, suite);
  const facts = commitFacts(intent, { before, after: viewOf(entered.state) });
  return { ...entered, facts, selfRemoved: false };
}

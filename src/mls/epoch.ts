import { createGroup, emptyPskIndex, processPublicMessage, type ClientState } from 'ts-mls';
import type { KeyPackage, PrivateKeyPackage } from 'ts-mls';
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import type { OcmAddress } from '../kernel/address.js';
import { sameBytes } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { epoch } from '../kernel/ids.js';
import { clientConfig } from './client-config.js';
import { contentOf, knowing, openCarried } from './commit-content.js';
import { commitFacts, type CommitIntent, commitIntent } from './commit-facts.js';
import { verifyCommit } from './commit-policy.js';
import { addressOf } from './credential.js';
import { federatedGroupExtension, REQUIRED_CAPABILITIES, requireFederatedGroup, written } from './federated-group.js';
import { type CommitFacts, viewAt, viewOf } from './group-view.js';
import { type Framed, readFramed } from './mls-message.js';
import { assertOpen, type OpenedProposal } from './proposal.js';
import { FEDERATED_GROUP_EXTENSION, type Suite } from './suite.js';

// The seam: whoever wants to move an MLS state goes through this file.
export { buildCommit, type BuiltCommit, type CommitOrder } from './commit.js';
export { commitDigest, type MessageHead, type MessageKind, readHead } from './mls-message.js';
export {
  type ProposalKind,
  proposeAdd,
  proposeAdmins,
  proposeRemove,
  proposeUpdate,
  type ReadProposal,
  readProposal,
} from './proposal.js';
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

export interface ReceivedCommit {
  /** The MLSMessage. */
  readonly commit: Uint8Array;
  /** The proposals that came with it, in the order of its references. OCM-MLS R-116 */
  readonly proposals: readonly Uint8Array[];
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
 * Follows a Commit of another leaf into the next epoch; `state` is left as it is. In this order, each before anything is
 * applied: the message (`codec.malformed`, `commit.wrong-group`, `commit.wrong-epoch`), its signature and membership tag
 * (`commit.unauthentic`), the proposals that it covers (`commit.proposal-refused`, `commit.proposals-differ`), the policy
 * (the faults of `verifyCommit`), the rules of MLS (`commit.invalid`). `commit.unopenable` comes after all of them: an
 * admin's Commit that this state cannot follow, which is how a fork shows (section 7.6). `commit.own-echo` is a Commit
 * of the state's own leaf, to be recognised by its digest. OCM-MLS
 */
export async function advance(
  state: ClientState,
  { commit, proposals }: ReceivedCommit,
  suite: Suite,
): Promise<Advanced> {
  assertOpen(state);
  const group = requireFederatedGroup(state.groupContext.extensions);
  const message = readFramed(commit, 'commit');
  await assertAuthentic(state, message, suite);
  const carried = await openCarried(state, proposals, suite);
  const intent = commitIntent(state, group, contentOf(message, carried));
  verifyCommit(intent);
  const { newState, consumed } = await apply(state, message, carried, suite);
  const selfRemoved = newState.groupActiveState.kind === 'removedFromGroup';
  const after = selfRemoved ? lastView(newState, intent) : viewOf(newState);
  return {
    state: newState,
    spent: consumed,
    facts: commitFacts(intent, { before: viewOf(state), after }),
    selfRemoved,
  };
}

async function assertAuthentic(state: ClientState, message: Framed<'commit'>, suite: Suite): Promise<void> {
  const { groupContext, ratchetTree, keySchedule, privatePath } = state;
  const { groupId, epoch: made, sender } = message.content;
  if (!sameBytes(groupId, groupContext.groupId)) throw new Fault('commit.wrong-group');
  if (made !== groupContext.epoch) {
    throw new Fault('commit.wrong-epoch', { epoch: epoch(made), current: epoch(groupContext.epoch) });
  }
  try {
    await unprotectPublicMessage(keySchedule.membershipKey, groupContext, ratchetTree, message, suite);
  } catch (cause) {
    throw new Fault('commit.unauthentic', {}, cause);
  }
  if (sender.senderType === 'member' && sender.leafIndex === privatePath.leafIndex) throw new Fault('commit.own-echo');
}

async function apply(state: ClientState, message: Framed<'commit'>, carried: readonly OpenedProposal[], suite: Suite) {
  // The library asks between the rules for proposals and the opening of the path.
  let valid = false;
  try {
    return await processPublicMessage(knowing(state, carried), message, emptyPskIndex, suite, () => {
      valid = true;
      return 'accept';
    });
  } catch (cause) {
    throw new Fault(valid ? 'commit.unopenable' : 'commit.invalid', {}, cause);
  }
}

/** The next epoch as a removed leaf sees it: the roster without the keys. */
const lastView = ({ groupContext, ratchetTree }: ClientState, { after }: CommitIntent) =>
  viewAt({ ...groupContext, epoch: groupContext.epoch + 1n, extensions: [...after.extensions] }, ratchetTree, '');

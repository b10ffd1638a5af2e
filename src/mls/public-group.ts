import { type ClientState, emptyPskIndex, type RatchetTree } from 'ts-mls';
import {
  applyProposals,
  nextEpochContext,
  validateLeafNodeCredentialAndKeyUniqueness,
  validateLeafNodeUpdateOrCommit,
} from 'ts-mls/clientState.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { type LeafIndex, toLeafIndex } from 'ts-mls/treemath.js';
import { applyUpdatePath, type UpdatePath } from 'ts-mls/updatePath.js';
import { sameBytes } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { epoch } from '../kernel/ids.js';
import { isSigned } from './authenticity.js';
import { clientConfig } from './client-config.js';
import { contentOf, knowing, openCarried } from './commit-content.js';
import { type CommitIntent, commitIntent, ofType } from './commit-facts.js';
import { verifyCommit } from './commit-policy.js';
import { requireFederatedGroup } from './federated-group.js';
import { type Framed, readFramed } from './mls-message.js';
import { assertOpen, type OpenedProposal } from './proposal.js';
import type { Suite } from './suite.js';
import { addedNodes, isSealedForAll } from './update-path.js';

/** What is known of a group in one epoch without any of its secrets. */
export type PublicGroup = Pick<ClientState, 'groupContext' | 'ratchetTree' | 'confirmationTag' | 'groupActiveState'>;

export interface ReceivedCommit {
  /** The MLSMessage. */
  readonly commit: Uint8Array;
  /** The proposals that came with it, in the order of its references. OCM-MLS R-116 */
  readonly proposals: readonly Uint8Array[];
}

/** A Commit that everything speaks for which can be told without the group's secrets, and where it leads. */
export interface PublicStep {
  readonly message: Framed<'commit'>;
  readonly carried: readonly OpenedProposal[];
  readonly intent: CommitIntent;
  readonly next: PublicGroup;
}

/**
 * Follows a Commit with the public state alone; `group` is left as it is. In this order: the message
 * (`codec.malformed`, `commit.wrong-group`, `commit.wrong-epoch`), its signature (`commit.unauthentic`), the proposals
 * that it covers (`commit.proposal-refused`, `commit.proposals-differ`), the policy (the faults of `verifyCommit`), and
 * the rules of MLS (`commit.invalid`): proposals, KeyPackages and leaves, the length of the path and of what is sealed
 * in it, parent hashes. Left for those who hold the secrets are the membership tag, the ciphertexts, and the
 * confirmation tag. OCM-MLS
 */
export async function followPublicly(
  group: PublicGroup,
  { commit, proposals }: ReceivedCommit,
  suite: Suite,
): Promise<PublicStep> {
  assertOpen(group);
  const federated = requireFederatedGroup(group.groupContext.extensions);
  const message = readFramed(commit, 'commit');
  assertCurrent(group, message);
  if (!(await isSigned(group, message, suite))) throw new Fault('commit.unauthentic');
  const carried = await openCarried(group, proposals, suite);
  const intent = commitIntent(group, federated, contentOf(message, carried));
  verifyCommit(intent);
  const extended = { ...group.groupContext, extensions: [...intent.after.extensions] };
  const ratchetTree = await nextTree(group, message, carried, suite);
  const groupContext = await nextEpochContext(
    extended,
    'mls_public_message',
    message.content,
    message.auth.signature,
    await treeHashRoot(ratchetTree, suite.hash),
    group.confirmationTag,
    suite.hash,
  );
  const [closing] = ofType(intent.covered, 'reinit');
  const next: PublicGroup = {
    groupContext,
    ratchetTree,
    confirmationTag: message.auth.confirmationTag,
    groupActiveState: closing
      ? { kind: 'suspendedPendingReinit', reinit: closing.proposal.reinit }
      : { kind: 'active' },
  };
  return { message, carried, intent, next };
}

function assertCurrent({ groupContext }: PublicGroup, { content }: Framed<'commit'>): void {
  if (!sameBytes(content.groupId, groupContext.groupId)) throw new Fault('commit.wrong-group');
  if (content.epoch === groupContext.epoch) return;
  throw new Fault('commit.wrong-epoch', { epoch: epoch(content.epoch), current: epoch(groupContext.epoch) });
}

/** The tree after the proposals and the path. Throws `commit.invalid`. RFC 9420 section 12.4.2 */
async function nextTree(
  group: PublicGroup,
  { content: { commit, sender } }: Framed<'commit'>,
  carried: readonly OpenedProposal[],
  suite: Suite,
): Promise<RatchetTree> {
  // The policy has let no external Commit pass.
  const committer = toLeafIndex(sender.senderType === 'member' ? sender.leafIndex : 0);
  try {
    const state = knowing(withoutSecrets(group), carried);
    const { tree } = await applyProposals(state, commit.proposals, committer, emptyPskIndex, false, suite);
    return commit.path ? await withPath(group, tree, commit.path, committer, suite) : tree;
  } catch (cause) {
    throw new Fault('commit.invalid', {}, cause);
  }
}

async function withPath(
  { groupContext, ratchetTree }: PublicGroup,
  tree: RatchetTree,
  path: UpdatePath,
  committer: LeafIndex,
  suite: Suite,
): Promise<RatchetTree> {
  const { leafNode } = path;
  const { authService } = clientConfig();
  const wrong =
    (await validateLeafNodeUpdateOrCommit(leafNode, committer, groupContext, authService, suite.signature)) ??
    (await validateLeafNodeCredentialAndKeyUniqueness(tree, leafNode, committer));
  if (wrong) throw wrong;
  if (!isSealedForAll(path, tree, committer, addedNodes(ratchetTree, tree))) {
    throw new Error('the path is not sealed for all who must learn it');
  }
  return applyUpdatePath(tree, committer, path, suite.hash);
}

/** As the library takes it. It asks for secrets only when a Commit is external, or brings a PreSharedKey. */
const withoutSecrets = ({ groupContext, ratchetTree }: PublicGroup): ClientState =>
  ({
    groupContext,
    ratchetTree,
    clientConfig: clientConfig(),
    privatePath: { leafIndex: -1, privateKeys: {} },
  }) as unknown as ClientState;

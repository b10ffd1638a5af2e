import type { ClientState, RatchetTree } from 'ts-mls';
import { deriveSecret } from 'ts-mls/crypto/kdf.js';
import { applyUpdatePathSecret } from 'ts-mls/createCommit.js';
import { getCommitSecret, pathToRoot } from 'ts-mls/pathSecrets.js';
import { getHpkePublicKey } from 'ts-mls/ratchetTree.js';
import { toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js';
import { sameBytes } from '../kernel/bytes.js';
import { Fault, isFault } from '../kernel/fault.js';
import { type Framed, readFramed } from './mls-message.js';
import type { CommonState, LeafState } from './stored-state.js';
import type { Suite } from './suite.js';
import { addedNodes } from './update-path.js';

export interface OpenedPath {
  readonly secrets: LeafState;
  /** All zero when the Commit has no path. RFC 9420 section 8 */
  readonly commitSecret: Uint8Array;
}

/**
 * Opens the path secret of a Commit that was sealed for this leaf, and derives from it the keys that the leaf shares
 * from now on; they must be those of the new tree. Throws what the library throws when nothing opens.
 * RFC 9420 sections 7.5, 12.4.2
 */
export async function openPath(
  { groupContext, ratchetTree, privatePath, signaturePrivateKey }: ClientState,
  { commit: { path }, sender }: Framed<'commit'>['content'],
  after: Pick<CommonState, 'groupContext' | 'ratchetTree'>,
  suite: Suite,
): Promise<OpenedPath> {
  if (!path) return { secrets: { privatePath, signaturePrivateKey }, commitSecret: new Uint8Array(suite.kdf.size) };
  if (sender.senderType !== 'member') throw new Error('an external Commit');
  const tree = after.ratchetTree;
  const { nodeIndex, pathSecret } = await applyUpdatePathSecret(
    tree,
    privatePath,
    toLeafIndex(sender.leafIndex),
    { ...after.groupContext, confirmedTranscriptHash: groupContext.confirmedTranscriptHash },
    path,
    addedNodes(ratchetTree, tree),
    suite,
  );
  const node = toNodeIndex(nodeIndex);
  const keys = await keysOfPath(tree, await pathToRoot(tree, node, pathSecret, suite.kdf), suite);
  return {
    secrets: {
      privatePath: { ...privatePath, privateKeys: { ...privatePath.privateKeys, ...keys } },
      signaturePrivateKey,
    },
    commitSecret: await getCommitSecret(tree, node, pathSecret, suite.kdf),
  };
}

/** Throws when they are not those of the tree. */
export async function keysOfPath(tree: RatchetTree, pathSecrets: Readonly<Record<number, Uint8Array>>, suite: Suite) {
  const keys: Record<number, Uint8Array> = {};
  for (const [index, secret] of Object.entries(pathSecrets)) {
    const node = tree[Number(index)];
    const pair = await suite.hpke.deriveKeyPair(await deriveSecret(secret, 'node', suite.kdf));
    const derived = await suite.hpke.exportPublicKey(pair.publicKey);
    if (!node || !sameBytes(derived, getHpkePublicKey(node))) throw new Error('not the keys of the tree');
    keys[Number(index)] = await suite.hpke.exportPrivateKey(pair.privateKey);
  }
  return keys;
}

/**
 * Takes one more local leaf into the epoch that a Commit began, after another one has judged and applied it: what is
 * left to do is to open the path secret that was sealed for this leaf. Its keys must be those of the new tree, so both
 * leaves end in the same epoch. Throws `commit.leaves-apart` when they do not.
 */
export async function followLeaf(
  before: ClientState,
  commit: Uint8Array,
  after: CommonState,
  suite: Suite,
): Promise<LeafState> {
  try {
    return (await openPath(before, readFramed(commit, 'commit').content, after, suite)).secrets;
  } catch (cause) {
    if (isFault(cause)) throw cause;
    throw new Fault('commit.leaves-apart', { leafIndex: before.privatePath.leafIndex }, cause);
  }
}

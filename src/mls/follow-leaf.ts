import type { ClientState, RatchetTree } from 'ts-mls';
import { deriveSecret } from 'ts-mls/crypto/kdf.js';
import { applyUpdatePathSecret } from 'ts-mls/createCommit.js';
import { pathToRoot } from 'ts-mls/pathSecrets.js';
import { getHpkePublicKey } from 'ts-mls/ratchetTree.js';
import { type NodeIndex, toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js';
import { sameBytes } from '../kernel/bytes.js';
import { Fault, isFault } from '../kernel/fault.js';
import { readFramed } from './mls-message.js';
import type { CommonState, LeafState } from './stored-state.js';
import type { Suite } from './suite.js';

/**
 * Takes one more local leaf into the epoch that a Commit began, after another one has judged and applied it: what is
 * left to do is to open the path secret that was sealed for this leaf. Its keys must be those of the new tree, so both
 * leaves end in the same epoch. Throws `commit.leaves-apart` when they do not. RFC 9420 sections 7.5, 12.4.2
 */
export async function followLeaf(
  before: ClientState,
  commit: Uint8Array,
  after: CommonState,
  suite: Suite,
): Promise<LeafState> {
  const { privatePath, signaturePrivateKey } = before;
  const apart = (cause?: unknown) => new Fault('commit.leaves-apart', { leafIndex: privatePath.leafIndex }, cause);
  const { sender, commit: content } = readFramed(commit, 'commit').content;
  if (sender.senderType !== 'member') throw apart();
  if (!content.path) return { privatePath, signaturePrivateKey };
  try {
    const context = { ...after.groupContext, confirmedTranscriptHash: before.groupContext.confirmedTranscriptHash };
    const { nodeIndex, pathSecret } = await applyUpdatePathSecret(
      after.ratchetTree,
      privatePath,
      toLeafIndex(sender.leafIndex),
      context,
      content.path,
      addedNodes(before.ratchetTree, after.ratchetTree),
      suite,
    );
    const secrets = await pathToRoot(after.ratchetTree, toNodeIndex(nodeIndex), pathSecret, suite.kdf);
    const privateKeys = { ...privatePath.privateKeys };
    for (const [index, secret] of Object.entries(secrets)) {
      const node = after.ratchetTree[Number(index)];
      const pair = await suite.hpke.deriveKeyPair(await deriveSecret(secret, 'node', suite.kdf));
      const derived = await suite.hpke.exportPublicKey(pair.publicKey);
      if (!node || !sameBytes(derived, getHpkePublicKey(node))) throw apart();
      privateKeys[Number(index)] = await suite.hpke.exportPrivateKey(pair.privateKey);
    }
    return { privatePath: { ...privatePath, privateKeys }, signaturePrivateKey };
  } catch (cause) {
    throw isFault(cause) ? cause : apart(cause);
  }
}

/** The leaves that the Commit added: they learn the path from the Welcome, and nothing in it was sealed for them. */
const addedNodes = (before: RatchetTree, after: RatchetTree): NodeIndex[] =>
  after.flatMap((node, index) => {
    if (node?.nodeType !== 'leaf' || node.leaf.leafNodeSource !== 'key_package') return [];
    const former = before[index];
    const same = former?.nodeType === 'leaf' && sameBytes(former.leaf.signature, node.leaf.signature);
    return same ? [] : [toNodeIndex(index)];
  });

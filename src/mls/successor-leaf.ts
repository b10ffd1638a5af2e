import type { ClientState } from 'ts-mls';
import { getOwnLeafNode, validateLeafNodeUpdateOrCommit } from 'ts-mls/clientState.js';
import { signWithLabel } from 'ts-mls/crypto/signature.js';
import { extensionsSupportedByCapabilities } from 'ts-mls/extension.js';
import { encodeLeafNodeTBS, type LeafNodeUpdate } from 'ts-mls/leafNode.js';
import { getHpkePublicKey } from 'ts-mls/ratchetTree.js';
import { sameBytes } from '../kernel/bytes.js';
import type { Suite } from './suite.js';

/** What an Update brings, and the private half that only its leaf knows. */
export interface Successor {
  readonly leafNode: LeafNodeUpdate;
  readonly privateKey: Uint8Array;
}

/** The state's own leaf with a fresh HPKE key, and nothing else changed. RFC 9420 section 7.2 */
export async function successorOf(state: ClientState, { hpke, signature }: Suite): Promise<Successor> {
  const { publicKey, privateKey } = await hpke.generateKeyPair();
  const { signaturePublicKey, credential, capabilities, extensions } = getOwnLeafNode(state);
  const leaf = {
    hpkePublicKey: await hpke.exportPublicKey(publicKey),
    signaturePublicKey,
    credential,
    capabilities,
    extensions,
    leafNodeSource: 'update' as const,
  };
  const { groupId } = state.groupContext;
  const signed = encodeLeafNodeTBS({ ...leaf, groupId, leafIndex: state.privatePath.leafIndex });
  return {
    leafNode: { ...leaf, signature: await signWithLabel(state.signaturePrivateKey, 'LeafNodeTBS', signed, signature) },
    privateKey: await hpke.exportPrivateKey(privateKey),
  };
}

/**
 * What keeps an Update from being committed, undefined when nothing does. One that is not fit would spoil the Commit
 * that covers it, for everybody whose proposals go with it. RFC 9420 sections 7.3, 12.1.2
 */
export async function unfit(
  { ratchetTree, groupContext, clientConfig }: ClientState,
  leafIndex: number,
  leafNode: LeafNodeUpdate,
  { hpke, signature }: Suite,
): Promise<unknown> {
  const others = ratchetTree.filter((_, index) => index !== 2 * leafIndex);
  if (ratchetTree.some((node) => node && sameBytes(getHpkePublicKey(node), leafNode.hpkePublicKey))) {
    return 'the HPKE key is in the tree already';
  }
  if (!extensionsSupportedByCapabilities(groupContext.extensions, leafNode.capabilities)) {
    return 'an extension of the group is not supported';
  }
  const signs = (node: (typeof others)[number]) =>
    node?.nodeType === 'leaf' && sameBytes(node.leaf.signaturePublicKey, leafNode.signaturePublicKey);
  if (others.some(signs)) return 'the signature key is that of another leaf';
  try {
    // Nothing can be sealed to a point of small order: found here, not in the Commit.
    await hpke.seal(await hpke.importPublicKey(leafNode.hpkePublicKey), new Uint8Array(), new Uint8Array());
    return await validateLeafNodeUpdateOrCommit(leafNode, leafIndex, groupContext, clientConfig.authService, signature);
  } catch (error) {
    return error;
  }
}

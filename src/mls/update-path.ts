import type { RatchetTree } from 'ts-mls';
import { filterNewLeaves } from 'ts-mls/createCommit.js';
import { filteredDirectPathAndCopathResolution } from 'ts-mls/ratchetTree.js';
import { type LeafIndex, type NodeIndex, toNodeIndex } from 'ts-mls/treemath.js';
import type { UpdatePath } from 'ts-mls/updatePath.js';
import { sameBytes } from '../kernel/bytes.js';

/** The leaves that a Commit added: they learn the path from the Welcome, and nothing in it is sealed for them. */
export const addedNodes = (before: RatchetTree, after: RatchetTree): NodeIndex[] =>
  after.flatMap((node, index) => {
    if (node?.nodeType !== 'leaf' || node.leaf.leafNodeSource !== 'key_package') return [];
    const former = before[index];
    const same = former?.nodeType === 'leaf' && sameBytes(former.leaf.signature, node.leaf.signature);
    return same ? [] : [toNodeIndex(index)];
  });

/**
 * Whether each secret of the path is sealed for as many as must learn it; whether it is the right one, only they can
 * tell. RFC 9420 section 7.6
 * @param tree with the proposals applied
 */
export function isSealedForAll(path: UpdatePath, tree: RatchetTree, committer: LeafIndex, added: NodeIndex[]): boolean {
  const nodes = filteredDirectPathAndCopathResolution(committer, tree);
  return (
    nodes.length === path.nodes.length &&
    nodes.every(
      ({ resolution }, at) => filterNewLeaves(resolution, added).length === path.nodes[at]!.encryptedPathSecret.length,
    )
  );
}

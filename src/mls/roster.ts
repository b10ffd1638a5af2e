import type { LeafNode, RatchetTree } from 'ts-mls';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { addressOf } from './credential.js';
import type { Member } from './group-view.js';

export interface Leaf extends Member {
  readonly node: LeafNode;
}

/** The leaves of a tree from left to right. Throws `credential.malformed` when one names nobody. OCM-MLS R-010 */
export const leavesOf = (tree: RatchetTree): Leaf[] =>
  tree.flatMap((node, index) => {
    if (node?.nodeType !== 'leaf') return [];
    const leafIndex = index / 2;
    const address = addressOf(node.leaf.credential);
    if (!address) throw new Fault('credential.malformed', { leafIndex });
    return [{ leafIndex, address, node: node.leaf }];
  });

export const membersOf = (tree: RatchetTree): Member[] =>
  leavesOf(tree).map(({ leafIndex, address }) => ({ leafIndex, address }));

/** The leaf of a user, who has at most one. OCM-MLS R-003 */
export const memberAt = (members: readonly Member[], address: OcmAddress): Member | undefined =>
  members.find((member) => member.address === address);

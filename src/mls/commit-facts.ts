import type { ClientState, Extension, LeafNode, Proposal } from 'ts-mls';
import type { OcmAddress } from '../kernel/address.js';
import { addressOf } from './credential.js';
import { type FederatedGroup, federatedGroupIn } from './federated-group.js';
import type { CommitFacts, GroupView } from './group-view.js';
import { type Leaf, leavesOf } from './roster.js';

/** One of the proposals that a Commit covers. */
export interface Covered {
  readonly proposal: Proposal;
  readonly byReference: boolean;
  /** The leaf that proposed it: the committer's when it stands in the Commit itself. RFC 9420 section 12.4 */
  readonly senderLeaf: number | undefined;
}

/** A leaf as it would be after the Commit. Its credential may name nobody, and an added one has no index yet. */
export interface NextLeaf {
  readonly leafIndex?: number;
  readonly address: OcmAddress | undefined;
  readonly node: LeafNode;
}

interface Standing {
  readonly extensions: readonly Extension[];
  /** Undefined when the extension is missing or malformed. */
  readonly group: FederatedGroup | undefined;
}

/** What a Commit would do, as far as it can be told before anything is applied. */
export interface CommitIntent {
  /** Undefined for an external Commit: its committer has no leaf. */
  readonly committer: Leaf | undefined;
  readonly covered: readonly Covered[];
  /** The committer's new leaf, when the Commit has an UpdatePath. */
  readonly pathLeaf: NextLeaf | undefined;
  readonly before: Standing & { readonly group: FederatedGroup; readonly leaves: readonly Leaf[] };
  readonly after: Standing & { readonly leaves: readonly NextLeaf[] };
}

export interface CommitContent {
  readonly committerLeaf: number | undefined;
  readonly covered: readonly Covered[];
  readonly path: LeafNode | undefined;
}

export type ProposalOf<Type> = Extract<Proposal, { proposalType: Type }>;

/** The covered proposals of one type, in their order. */
export const ofType = <Type extends Proposal['proposalType'] & string>(covered: readonly Covered[], type: Type) =>
  covered.flatMap(({ proposal, ...where }) =>
    proposal.proposalType === type ? [{ ...where, proposal: proposal as ProposalOf<Type> }] : [],
  );

const nextLeaf = (node: LeafNode, leafIndex?: number): NextLeaf => ({
  node,
  address: addressOf(node.credential),
  ...(leafIndex === undefined ? {} : { leafIndex }),
});

/** The leaves after Updates, Removes and Adds, in this order; a path brings back nobody. RFC 9420 section 12.3 */
function leavesAfter(leaves: readonly Leaf[], { covered, committerLeaf, path }: CommitContent): NextLeaf[] {
  const next = new Map<number, NextLeaf>(leaves.map((leaf) => [leaf.leafIndex, leaf]));
  for (const { senderLeaf, proposal } of ofType(covered, 'update')) {
    if (senderLeaf !== undefined) next.set(senderLeaf, nextLeaf(proposal.update.leafNode, senderLeaf));
  }
  if (path && committerLeaf !== undefined) next.set(committerLeaf, nextLeaf(path, committerLeaf));
  for (const { proposal } of ofType(covered, 'remove')) next.delete(proposal.remove.removed);
  const added = ofType(covered, 'add').map(({ proposal }) => nextLeaf(proposal.add.keyPackage.leafNode));
  return [...next.values(), ...added];
}

/**
 * Works out what the Commit would do to the group. Throws `credential.malformed` only for a state that we
 * should not have.
 */
export function commitIntent(
  { groupContext: { extensions }, ratchetTree }: Pick<ClientState, 'groupContext' | 'ratchetTree'>,
  group: FederatedGroup,
  content: CommitContent,
): CommitIntent {
  const leaves = leavesOf(ratchetTree);
  const [replaced] = ofType(content.covered, 'group_context_extensions');
  const nextExtensions = replaced?.proposal.groupContextExtensions.extensions ?? extensions;
  return {
    committer: leaves.find(({ leafIndex }) => leafIndex === content.committerLeaf),
    covered: content.covered,
    pathLeaf: content.path && nextLeaf(content.path, content.committerLeaf),
    before: { extensions, group, leaves },
    after: {
      extensions: nextExtensions,
      group: federatedGroupIn(nextExtensions),
      leaves: leavesAfter(leaves, content),
    },
  };
}

/** What a Commit did, for those who have no business with MLS. Only for an intent that the policy let pass. */
export function commitFacts({ committer, covered, before, pathLeaf }: CommitIntent, views: Views): CommitFacts {
  const removed = ofType(covered, 'remove').map(({ proposal }) => proposal.remove.removed);
  const added = ofType(covered, 'add').map(({ proposal }) => addressOf(proposal.add.keyPackage.leafNode.credential));
  const renewed = ofType(covered, 'update').map(({ senderLeaf }) => senderLeaf);
  if (pathLeaf) renewed.push(committer!.leafIndex);
  const addresses = (indexes: readonly (number | undefined)[]) =>
    before.leaves.filter(({ leafIndex }) => indexes.includes(leafIndex)).map(({ address }) => address);
  return {
    committer: committer!.address,
    added: added.filter((address) => address !== undefined),
    removed: addresses(removed),
    updated: addresses(renewed),
    ...views,
  };
}

interface Views {
  readonly before: GroupView;
  readonly after: GroupView;
}

import type { Extension, LeafNode } from 'ts-mls';
import type { OcmAddress } from '../kernel/address.js';
import { sameBytes, toHex } from '../kernel/bytes.js';
import { addressOf } from './credential.js';
import { type CommitIntent, type Covered, ofType } from './commit-facts.js';
import type { Leaf } from './roster.js';
import { FEDERATED_GROUP_EXTENSION } from './suite.js';

export const unique = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

/** Which Commits must have an UpdatePath. OCM-MLS R-119, RFC 9420 sections 12.4 and 17.4 */
export const needsPath = (covered: readonly Covered[]): boolean =>
  covered.length === 0 ||
  (['update', 'remove', 'group_context_extensions', 'external_init'] as const).some(
    (type) => ofType(covered, type).length > 0,
  );

interface Replaced {
  readonly old: Leaf | undefined;
  readonly next: LeafNode;
}

/** The leaves that get a successor, by an Update or by the UpdatePath. */
function replaced({ covered, before, committer, pathLeaf }: CommitIntent): Replaced[] {
  const updated = ofType(covered, 'update').map(({ senderLeaf, proposal }) => ({
    old: before.leaves.find(({ leafIndex }) => leafIndex === senderLeaf),
    next: proposal.update.leafNode,
  }));
  return pathLeaf ? [...updated, { old: committer, next: pathLeaf.node }] : updated;
}

/** Whether every successor is of the same user. OCM-MLS R-219 */
export const keepsAddresses = (intent: CommitIntent): boolean =>
  replaced(intent).every(({ old, next }) => old?.address === addressOf(next.credential));

/**
 * Whether all other extensions of the GroupContext stay as they are, and whether every member understands what is new.
 * External senders are nothing that a federated group provides for. OCM-MLS R-082, RFC 9420 section 12.1.7
 */
export function keepsExtensions({ before, after }: CommitIntent): boolean {
  const others = (extensions: readonly Extension[]) =>
    extensions.filter(({ extensionType }) => extensionType !== FEDERATED_GROUP_EXTENSION);
  const next = others(after.extensions);
  const stands = (extension: Extension) =>
    next.some(
      ({ extensionType, extensionData }) =>
        extensionType === extension.extensionType && sameBytes(extensionData, extension.extensionData),
    );
  const added = next.filter(
    ({ extensionType }) => !before.extensions.some((old) => old.extensionType === extensionType),
  );
  const understood = ({ extensionType: type }: Extension) =>
    typeof type === 'number' && after.leaves.every(({ node }) => node.capabilities.extensions.includes(type));
  return (
    others(before.extensions).every(stands) &&
    added.every(understood) &&
    unique(after.extensions.map(({ extensionType }) => extensionType))
  );
}

/** Whether a member who is added anew comes with the Remove of the old leaf, both by value. OCM-MLS section 7.6 */
export function rejoinsByValue({ covered, before }: CommitIntent): boolean {
  const [adds, removes] = [ofType(covered, 'add'), ofType(covered, 'remove')];
  return adds.every(({ proposal, byReference }) => {
    const address: OcmAddress | undefined = addressOf(proposal.add.keyPackage.leafNode.credential);
    const old = before.leaves.find((leaf) => leaf.address === address);
    const removed = removes.find((remove) => remove.proposal.remove.removed === old?.leafIndex);
    return !old || (!byReference && removed?.byReference === false);
  });
}

/** Whether no two leaves share a key. OCM-MLS does not say it, RFC 9420 section 7.3 does. */
export const keepsKeysApart = ({ after }: CommitIntent): boolean =>
  unique(after.leaves.map(({ node }) => toHex(node.signaturePublicKey))) &&
  unique(after.leaves.map(({ node }) => toHex(node.hpkePublicKey)));

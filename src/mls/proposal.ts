import { createProposal, type ClientState, type KeyPackage, type Proposal } from 'ts-mls';
import { makeProposalRef } from 'ts-mls/authenticatedContent.js';
import type { OcmAddress } from '../kernel/address.js';
import { sameBytes, toHex } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { epoch, type Epoch } from '../kernel/ids.js';
import { isSigned, isTagged } from './authenticity.js';
import { addressOf } from './credential.js';
import { adminsOf, federatedGroupIn, withAdmins } from './federated-group.js';
import { type Framed, readFramed, writeMessage } from './mls-message.js';
import { verifyProposal } from './proposal-policy.js';
import { reinitAs } from './reinit.js';
import { type Leaf, leavesOf } from './roster.js';
import { successorOf, unfit } from './successor-leaf.js';
import type { Suite } from './suite.js';

export type ProposalKind = 'add' | 'update' | 'remove' | 'remove-self' | 'admin-set' | 'reinit' | 'other';

/** What is committed without anybody's approval. OCM-MLS section 7.2 */
const BY_ITSELF: readonly ProposalKind[] = ['remove-self', 'update'];

/** A proposal whose sender was verified. */
export interface ReadProposal {
  /** The ProposalRef in hex: what a Commit names it by. RFC 9420 section 5.2 */
  readonly ref: string;
  readonly epoch: Epoch;
  readonly kind: ProposalKind;
  readonly senderLeaf: number;
  readonly sender: OcmAddress;
  /** Who is to be added or removed. */
  readonly target?: OcmAddress;
  /** For `admin-set`: the whole set as it is to be. */
  readonly admins?: readonly OcmAddress[];
}

/** What it takes to open a proposal: nothing of it is secret. */
export type PublicEpoch = Pick<ClientState, 'groupContext' | 'ratchetTree'>;

export interface OpenedProposal extends ReadProposal {
  readonly message: Framed<'proposal'>;
  readonly reference: Uint8Array;
  readonly proposal: Proposal;
}

function kindOf(proposal: Proposal, senderLeaf: number): ProposalKind {
  switch (proposal.proposalType) {
    case 'remove':
      return proposal.remove.removed === senderLeaf ? 'remove-self' : 'remove';
    case 'group_context_extensions':
      return 'admin-set';
    case 'add':
    case 'update':
    case 'reinit':
      return proposal.proposalType;
    case 'psk':
    case 'external_init':
    default:
      return 'other';
  }
}

function targetOf(proposal: Proposal, leaves: readonly Leaf[]): OcmAddress | undefined {
  if (proposal.proposalType === 'add') return addressOf(proposal.add.keyPackage.leafNode.credential);
  if (proposal.proposalType !== 'remove') return undefined;
  return leaves.find(({ leafIndex }) => leafIndex === proposal.remove.removed)?.address;
}

function adminsIn(proposal: Proposal): OcmAddress[] | undefined {
  if (proposal.proposalType !== 'group_context_extensions') return undefined;
  const group = federatedGroupIn(proposal.groupContextExtensions.extensions);
  return group && adminsOf(group);
}

/** As `readProposal` but for the membership tag, with what the seam needs to cover it by reference. OCM-MLS R-099 */
export async function openProposal(group: PublicEpoch, bytes: Uint8Array, suite: Suite): Promise<OpenedProposal> {
  const message = readFramed(bytes, 'proposal');
  const { content, auth } = message;
  const { groupContext, ratchetTree } = group;
  if (!sameBytes(content.groupId, groupContext.groupId)) throw new Fault('proposal.wrong-group');
  if (content.epoch !== groupContext.epoch) {
    const facts = { epoch: epoch(content.epoch), current: epoch(groupContext.epoch) };
    throw new Fault(content.epoch < groupContext.epoch ? 'proposal.stale' : 'proposal.early', facts);
  }
  const { sender: from, proposal } = content;
  if (from.senderType !== 'member') throw new Fault('proposal.not-from-member', { sender: from.senderType });
  if (!(await isSigned(group, message, suite))) {
    throw new Fault('proposal.unauthentic', { senderLeaf: from.leafIndex });
  }
  const leaves = leavesOf(ratchetTree);
  const sender = leaves.find(({ leafIndex }) => leafIndex === from.leafIndex)!;
  if (proposal.proposalType === 'update' && addressOf(proposal.update.leafNode.credential) !== sender.address) {
    throw new Fault('proposal.successor-differs', { sender: sender.address });
  }
  const reference = await makeProposalRef({ wireformat: 'mls_public_message', content, auth }, suite.hash);
  const target = targetOf(proposal, leaves);
  const admins = adminsIn(proposal);
  return {
    message,
    reference,
    proposal,
    ref: toHex(reference),
    epoch: epoch(content.epoch),
    kind: kindOf(proposal, from.leafIndex),
    senderLeaf: from.leafIndex,
    sender: sender.address,
    ...(target === undefined ? {} : { target }),
    ...(admins === undefined ? {} : { admins }),
  };
}

/**
 * Reads a proposal of the state's epoch and verifies signature and membership tag; nothing is kept. Throws
 * `codec.malformed`, `proposal.wrong-group`, `proposal.stale` or `proposal.early` for another epoch,
 * `proposal.not-from-member`, `proposal.unauthentic`, `proposal.successor-differs` for an Update to another user, and
 * `proposal.leaf-unfit` for one that no Commit could cover, what `verifyProposal` refuses of all that an admin has to
 * approve. OCM-MLS
 */
export async function readProposal(state: ClientState, bytes: Uint8Array, suite: Suite): Promise<ReadProposal> {
  const opened = await openProposal(state, bytes, suite);
  await assertTagged(state, opened, suite);
  const { message: _message, reference: _reference, proposal, ...read } = opened;
  if (proposal.proposalType === 'update') {
    const reason = await unfit(state, read.senderLeaf, proposal.update.leafNode, suite);
    if (reason !== undefined) {
      const said = typeof reason === 'string' ? reason : 'the leaf is not valid';
      throw new Fault('proposal.leaf-unfit', { sender: read.sender, reason: said }, reason);
    }
  }
  if (BY_ITSELF.every((kind) => kind !== read.kind)) verifyProposal(state, proposal);
  return read;
}

/** Throws `proposal.unauthentic`. OCM-MLS R-098 */
export async function assertTagged(state: ClientState, opened: OpenedProposal, suite: Suite): Promise<void> {
  if (await isTagged(state, opened.message, suite)) return;
  throw new Fault('proposal.unauthentic', { senderLeaf: opened.senderLeaf });
}

/** Proposes that a leaf be removed, one's own to leave (OCM-MLS R-059). Throws `group.closed`. The MLSMessage. */
export const proposeRemove = (state: ClientState, leafIndex: number, suite: Suite): Promise<Uint8Array> =>
  propose(state, { proposalType: 'remove', remove: { removed: leafIndex } }, suite);

/** Proposes that a user be added. Whoever approves it fetches a KeyPackage of their own (D-12). Throws `group.closed`. */
export const proposeAdd = (state: ClientState, keyPackage: KeyPackage, suite: Suite): Promise<Uint8Array> =>
  propose(state, { proposalType: 'add', add: { keyPackage } }, suite);

/** Proposes another admin set, as the whole extension (OCM-MLS ). Throws `group.closed`. */
export function proposeAdmins(state: ClientState, admins: readonly OcmAddress[], suite: Suite): Promise<Uint8Array> {
  const extensions = withAdmins(state.groupContext.extensions, admins);
  return propose(state, { proposalType: 'group_context_extensions', groupContextExtensions: { extensions } }, suite);
}

/** Proposes that the group go on as a successor of that id; an admin has to approve it (OCM-MLS R-140). Throws `group.closed`. */
export const proposeReinit = (state: ClientState, groupId: Uint8Array, suite: Suite): Promise<Uint8Array> =>
  propose(state, reinitAs(state, groupId), suite);

async function propose(state: ClientState, proposal: Proposal, suite: Suite): Promise<Uint8Array> {
  assertOpen(state);
  return writeMessage((await createProposal(state, true, proposal, suite)).message);
}

/** An Update of a leaf of ours: the key that takes its place once a Commit covers `ref`. */
export interface OwnUpdate {
  readonly ref: string;
  readonly privateKey: Uint8Array;
}

/**
 * Proposes a fresh HPKE key for the state's own leaf (OCM-MLS R-128). Throws `group.closed`. `proposal` is the
 * MLSMessage; `update` is needed to follow the Commit that covers it.
 */
export async function proposeUpdate(
  state: ClientState,
  suite: Suite,
): Promise<{ readonly proposal: Uint8Array; readonly update: OwnUpdate }> {
  assertOpen(state);
  const { leafNode, privateKey } = await successorOf(state, suite);
  const { message } = await createProposal(state, true, { proposalType: 'update', update: { leafNode } }, suite);
  const proposal = writeMessage(message);
  const { ref } = await readProposal(state, proposal, suite);
  return { proposal, update: { ref, privateKey } };
}

/** Throws `group.closed` when nothing may be sent any more: after a ReInit, or from a removed leaf. OCM-MLS R-144 */
export function assertOpen({ groupActiveState: { kind } }: Pick<ClientState, 'groupActiveState'>): void {
  if (kind !== 'active') throw new Fault('group.closed', { kind });
}

import type { ClientState } from 'ts-mls';
import { addUnappliedProposal } from 'ts-mls/unappliedProposals.js';
import { sameBytes } from '../kernel/bytes.js';
import { Fault, isFault } from '../kernel/fault.js';
import type { CommitContent, Covered } from './commit-facts.js';
import type { Framed } from './mls-message.js';
import { assertTagged, type OpenedProposal, openProposal, type PublicEpoch } from './proposal.js';
import type { Suite } from './suite.js';

/**
 * Opens the proposals that travel with a Commit, as far as that goes without secrets. Throws `commit.proposal-refused`
 * with the code of the fault when one of them is not acceptable in this epoch. OCM-MLS R-118
 */
export async function openCarried(
  group: PublicEpoch,
  proposals: readonly Uint8Array[],
  suite: Suite,
): Promise<OpenedProposal[]> {
  const opened: OpenedProposal[] = [];
  for (const [position, bytes] of proposals.entries()) {
    opened.push(await orRefused(position, openProposal(group, bytes, suite)));
  }
  return opened;
}

/** The rest of it: their membership tags. Throws `commit.proposal-refused`. OCM-MLS R-098 */
export async function assertAllTagged(
  state: ClientState,
  carried: readonly OpenedProposal[],
  suite: Suite,
): Promise<void> {
  for (const [position, proposal] of carried.entries()) {
    await orRefused(position, assertTagged(state, proposal, suite));
  }
}

async function orRefused<T>(position: number, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isFault(error)) throw error;
    throw new Fault('commit.proposal-refused', { position, fault: error.code }, error);
  }
}

/** The state as the library wants it: with the proposals that the Commit names, in their order, and no others. */
export const knowing = (state: ClientState, carried: readonly OpenedProposal[]): ClientState => ({
  ...state,
  unappliedProposals: carried.reduce(
    (known, { reference, proposal, senderLeaf }) => addUnappliedProposal(reference, known, proposal, senderLeaf),
    {},
  ),
});

/**
 * What a Commit says. Throws `commit.proposals-differ` unless exactly the proposals that it names were carried, in the
 * order in which it names them; none when it names none. OCM-MLS
 */
export function contentOf({ content }: Framed<'commit'>, carried: readonly OpenedProposal[]): CommitContent {
  const { commit, sender } = content;
  const committerLeaf = sender.senderType === 'member' ? sender.leafIndex : undefined;
  const waiting = [...carried];
  const covered = commit.proposals.map((one): Covered => {
    if (one.proposalOrRefType === 'proposal') {
      return { proposal: one.proposal, byReference: false, senderLeaf: committerLeaf };
    }
    const next = waiting.shift();
    if (!next || !sameBytes(next.reference, one.reference)) throw new Fault('commit.proposals-differ');
    return { proposal: next.proposal, byReference: true, senderLeaf: next.senderLeaf };
  });
  if (waiting.length > 0) throw new Fault('commit.proposals-differ');
  return { committerLeaf, covered, path: commit.path?.leafNode };
}

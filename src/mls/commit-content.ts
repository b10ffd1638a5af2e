import type { ClientState } from 'ts-mls';
import { addUnappliedProposal } from 'ts-mls/unappliedProposals.js';
import { sameBytes } from '../kernel/bytes.js';
import { Fault, isFault } from '../kernel/fault.js';
import type { CommitContent, Covered } from './commit-facts.js';
import type { Framed } from './mls-message.js';
import { type OpenedProposal, openProposal } from './proposal.js';
import type { Suite } from './suite.js';

/**
 * Opens the proposals that travel with a Commit. Throws `commit.proposal-refused` with the code of the fault when one of
 * them is not acceptable in the state's epoch. OCM-MLS R-118
 */
export async function openCarried(
  state: ClientState,
  proposals: readonly Uint8Array[],
  suite: Suite,
): Promise<OpenedProposal[]> {
  const opened: OpenedProposal[] = [];
  for (const [position, bytes] of proposals.entries()) {
    try {
      opened.push(await openProposal(state, bytes, suite));
    } catch (error) {
      if (!isFault(error)) throw error;
      throw new Fault('commit.proposal-refused', { position, fault: error.code }, error);
    }
  }
  return opened;
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

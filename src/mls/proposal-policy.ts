import type { ClientState, Proposal } from 'ts-mls';
import { Fault, type FaultCode, isFault } from '../kernel/fault.js';
import { withoutDeparted } from './admin-set.js';
import { type CommitContent, commitIntent, type Covered } from './commit-facts.js';
import { verifyCommit } from './commit-policy.js';
import { adminsOf, requireFederatedGroup, withAdmins } from './federated-group.js';

const LAST_ADMIN: readonly FaultCode[] = ['commit.last-admin', 'commit.no-admin'];

/**
 * Judges what a member proposes by the Commit that an admin would make of it: this proposal, and the end of the roles of
 * those whose membership it ends. What no Commit may do need not be shown to anybody. Throws `proposal.last-admin`
 * (OCM-MLS R-064) and `proposal.breaks-policy`, with the fault and the rule that such a Commit would break. OCM-MLS
 * section 7.2
 */
export function verifyProposal(state: ClientState, proposal: Proposal): void {
  try {
    verifyCommit(
      commitIntent(state, requireFederatedGroup(state.groupContext.extensions), asCommitted(state, proposal)),
    );
  } catch (error) {
    if (!isFault(error)) throw error;
    const code = LAST_ADMIN.includes(error.code) ? 'proposal.last-admin' : 'proposal.breaks-policy';
    throw new Fault(code, { ...error.facts, fault: error.code }, error);
  }
}

function asCommitted(state: ClientState, proposal: Proposal): CommitContent {
  const group = requireFederatedGroup(state.groupContext.extensions);
  const alone = content(undefined, [proposal]);
  const { before, after } = commitIntent(state, group, alone);
  const current = adminsOf(group);
  const removed = proposal.proposalType === 'remove' ? proposal.remove.removed : undefined;
  const admins = before.leaves.filter(({ address }) => current.includes(address));
  const committer = admins.find(({ leafIndex }) => leafIndex !== removed) ?? admins[0];
  const staying = withoutDeparted(current, new Set(after.leaves.flatMap(({ address }) => address ?? [])));
  const departs = removed !== undefined && staying.length > 0 && staying.length < current.length;
  const { extensions } = state.groupContext;
  const follows: Proposal[] = departs
    ? [
        {
          proposalType: 'group_context_extensions',
          groupContextExtensions: { extensions: withAdmins(extensions, staying) },
        },
      ]
    : [];
  return { ...content(committer?.leafIndex, [proposal, ...follows]), path: committer?.node };
}

const content = (committerLeaf: number | undefined, proposals: readonly Proposal[]): CommitContent => ({
  committerLeaf,
  covered: proposals.map((proposal): Covered => ({ proposal, byReference: false, senderLeaf: committerLeaf })),
  path: undefined,
});

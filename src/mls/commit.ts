import { createCommit, emptyPskIndex, type ClientState, type KeyPackage, type Proposal } from 'ts-mls';
import { getOwnLeafNode } from 'ts-mls/clientState.js';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { withoutDeparted } from './admin-set.js';
import { clientConfig } from './client-config.js';
import { assertAllTagged, contentOf, knowing, openCarried } from './commit-content.js';
import { type CommitContent, commitFacts, commitIntent, type Covered } from './commit-facts.js';
import { verifyCommit } from './commit-policy.js';
import { needsPath } from './commit-shape.js';
import { adminsOf, type FederatedGroup, requireFederatedGroup, withAdmins } from './federated-group.js';
import { type CommitFacts, viewOf } from './group-view.js';
import { readFramed, writeMessage, writeWelcome } from './mls-message.js';
import { assertOpen, type OpenedProposal } from './proposal.js';
import { reinitAs } from './reinit.js';
import type { Suite } from './suite.js';

export interface CommitOrder {
  /** Fetched and checked by us; added by value. D-12 */
  readonly add: readonly KeyPackage[];
  /** Leaves that are removed by value. */
  readonly remove: readonly number[];
  /**
   * The whole new admin set: with who is appointed, without who resigns. It changes through a
   * GroupContextExtensions proposal alone. Left out, those whose membership ends leave the set, and nothing
   * else changes.
   */
  readonly admins?: readonly OcmAddress[];
  /** Proposals of others, as they were sent, covered by reference in this order. */
  readonly proposals: readonly Uint8Array[];
  /** The `group_id` under which the group is to go on: the Commit is a ReInit then, and nothing else. OCM-MLS R-142 */
  readonly successor?: Uint8Array;
  /** The lifetimes of added KeyPackages are judged at this time. */
  readonly now: Date;
}

export interface BuiltCommit {
  /** The state of the committer once the Commit is accepted; until then the old one stays. OCM-MLS R-019 */
  readonly next: ClientState;
  /** Secrets of the old state, to be wiped after `next` is stored. OCM-MLS R-158 */
  readonly spent: readonly Uint8Array[];
  readonly commit: Uint8Array;
  /** Those that `commit` names, verbatim and in its order. OCM-MLS R-116 */
  readonly proposals: readonly Uint8Array[];
  /** One for all added users, with the ratchet tree. OCM-MLS */
  readonly welcome?: Uint8Array;
  readonly facts: CommitFacts;
}

/**
 * Builds a Commit of the state's own leaf; `state` is left as it is. It must pass the policy that all others will apply
 * to it. Throws the faults of `verifyCommit`, `commit.proposal-refused`, `commit.invalid` for what MLS does not allow
 * (an expired KeyPackage among it), and `group.closed`. OCM-MLS R-104, RFC 9420 section 12.4
 */
export async function buildCommit(state: ClientState, order: CommitOrder, suite: Suite): Promise<BuiltCommit> {
  assertOpen(state);
  const group = requireFederatedGroup(state.groupContext.extensions);
  const carried = await openCarried(state, order.proposals, suite);
  await assertAllTagged(state, carried, suite);
  const extraProposals = byValue(state, group, order, carried);
  const intended = content(state, carried, extraProposals);
  verifyCommit(commitIntent(state, group, intended));
  const made = await create(state, order.now, carried, extraProposals, suite);
  const commit = writeMessage(made.commit);
  const intent = commitIntent(state, group, contentOf(readFramed(commit, 'commit'), carried));
  verifyCommit(intent);
  const next = { ...made.newState, clientConfig: clientConfig() };
  return {
    next,
    spent: made.consumed,
    commit,
    proposals: order.proposals,
    ...(made.welcome && { welcome: writeWelcome(made.welcome) }),
    facts: commitFacts(intent, { before: viewOf(state), after: viewOf(next) }),
  };
}

/** The Removes, the Adds, and the new extensions when the admin set changes. OCM-MLS */
function byValue(
  state: ClientState,
  group: FederatedGroup,
  { add, remove, admins, successor }: CommitOrder,
  carried: readonly OpenedProposal[],
): Proposal[] {
  const changes: Proposal[] = [
    ...(successor ? [reinitAs(state, successor)] : []),
    ...remove.map((removed): Proposal => ({ proposalType: 'remove', remove: { removed } })),
    ...add.map((keyPackage): Proposal => ({ proposalType: 'add', add: { keyPackage } })),
  ];
  const { after } = commitIntent(state, group, content(state, carried, changes));
  const members = new Set(after.leaves.flatMap(({ address }) => address ?? []));
  const current = adminsOf(group);
  const wanted = admins ?? withoutDeparted(current, members);
  if (wanted.length === current.length && wanted.every((admin, at) => admin === current[at])) return changes;
  const extensions = withAdmins(state.groupContext.extensions, wanted);
  return [...changes, { proposalType: 'group_context_extensions', groupContextExtensions: { extensions } }];
}

/** What the Commit is going to say; its UpdatePath keeps everything of the own leaf but the keys. */
function content(
  state: ClientState,
  carried: readonly OpenedProposal[],
  proposals: readonly Proposal[],
): CommitContent {
  const committerLeaf = state.privatePath.leafIndex;
  const covered: Covered[] = [
    ...carried.map(({ proposal, senderLeaf }) => ({ proposal, senderLeaf, byReference: true })),
    ...proposals.map((proposal) => ({ proposal, senderLeaf: committerLeaf, byReference: false })),
  ];
  return { committerLeaf, covered, path: needsPath(covered) ? getOwnLeafNode(state) : undefined };
}

async function create(
  state: ClientState,
  now: Date,
  carried: readonly OpenedProposal[],
  extraProposals: Proposal[],
  cipherSuite: Suite,
) {
  try {
    return await createCommit(
      { state: { ...knowing(state, carried), clientConfig: clientConfig(now) }, pskIndex: emptyPskIndex, cipherSuite },
      { wireAsPublicMessage: true, ratchetTreeExtension: true, extraProposals },
    );
  } catch (cause) {
    throw new Fault('commit.invalid', {}, cause);
  }
}

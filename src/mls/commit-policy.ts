import { Fault, type FaultCode } from '../kernel/fault.js';
import { appendsOnly, keepsOrder } from './admin-set.js';
import { type CommitIntent, ofType } from './commit-facts.js';
import { adminsOf, federatedGroupIn } from './federated-group.js';
import { isJoinable } from './reinit.js';
import { keepsAddresses, keepsExtensions, keepsKeysApart, needsPath, rejoinsByValue, unique } from './commit-shape.js';

export interface CommitCheck {
  /** The rule that is broken when it does not hold; a section where the draft has no numbered rule. */
  readonly id: string;
  /** Other rules that are kept by the same check. */
  readonly also?: readonly string[];
  readonly section: string;
  readonly fault: FaultCode;
  /** May rely on all checks above it. */
  holds(intent: CommitIntent): boolean;
}

/** Proposal types that have a place in a federated group. OCM-MLS section 7.2 */
const PROVIDED: readonly unknown[] = ['add', 'update', 'remove', 'group_context_extensions', 'reinit'];

/**
 * What a Commit must keep beyond RFC 9420, decided before anything of it is applied. The first check that does not hold
 * names the refusal. OCM-MLS section 7.2
 */
export const COMMIT_CHECKS: readonly CommitCheck[] = [
  {
    id: 'R-056', // an external Commit has no committer in the tree
    also: ['R-054', 'R-055', 'R-057', 'R-073', 'R-076', 'R-141'],
    section: 'Group Admins',
    fault: 'commit.not-admin',
    holds: ({ committer, before }) => committer !== undefined && adminsOf(before.group).includes(committer.address),
  },
  {
    id: 'section 7.2', // PreSharedKey, ExternalInit, and what nobody knows: the library would pass over it in silence
    section: 'Group Admins',
    fault: 'commit.proposal-not-provided',
    holds: ({ covered }) => covered.every(({ proposal }) => PROVIDED.includes(proposal.proposalType)),
  },
  {
    id: 'R-142',
    section: 'Group Reinitialisation',
    fault: 'commit.reinit-not-alone',
    holds: ({ covered }) => ofType(covered, 'reinit').length === 0 || covered.length === 1,
  },
  {
    id: 'R-143',
    section: 'Group Reinitialisation',
    fault: 'commit.reinit-moves-label',
    holds: ({ covered, before }) =>
      ofType(covered, 'reinit').every(
        ({ proposal }) => federatedGroupIn(proposal.reinit.extensions)?.groupAddress === before.group.groupAddress,
      ),
  },
  {
    id: 'RFC 9420 section 12.1.5', // what cannot be joined would end the group for good
    section: 'Group Reinitialisation',
    fault: 'commit.reinit-unjoinable',
    holds: ({ covered, before }) =>
      ofType(covered, 'reinit').every(({ proposal }) => isJoinable(proposal.reinit, before.leaves)),
  },
  {
    id: 'R-010',
    section: 'Authentication Service',
    fault: 'commit.credential-malformed',
    holds: ({ after }) => after.leaves.every(({ address }) => address !== undefined),
  },
  {
    id: 'R-220',
    also: ['R-219'],
    section: 'Validation procedure',
    fault: 'commit.successor-differs',
    holds: keepsAddresses,
  },
  {
    id: 'R-114',
    section: 'MLS_COMMIT',
    fault: 'commit.update-by-value',
    holds: ({ covered }) => ofType(covered, 'update').every(({ byReference }) => byReference),
  },
  {
    id: 'R-064',
    section: 'Group Admins',
    fault: 'commit.last-admin',
    holds({ covered, before, after }) {
      const members = new Set(after.leaves.map(({ address }) => address));
      const stays = [...adminsOf(before.group), ...(after.group ? adminsOf(after.group) : [])];
      return ofType(covered, 'remove').length === 0 || stays.some((admin) => members.has(admin));
    },
  },
  {
    id: 'R-067',
    section: 'Group Admins',
    fault: 'commit.removes-committer',
    holds: ({ covered, committer }) =>
      ofType(covered, 'remove').every(({ proposal }) => proposal.remove.removed !== committer?.leafIndex),
  },
  {
    id: 'R-119',
    section: 'MLS_COMMIT',
    fault: 'commit.path-missing',
    holds: ({ covered, pathLeaf }) => pathLeaf !== undefined || !needsPath(covered),
  },
  {
    id: 'R-068',
    section: 'Group OCM Address and Admin Set',
    fault: 'commit.extension-dropped',
    holds: ({ after }) => after.group !== undefined,
  },
  {
    id: 'R-069',
    also: ['R-009', 'R-077'],
    section: 'Group OCM Address and Admin Set',
    fault: 'commit.label-moved',
    holds: ({ before, after }) => after.group?.groupAddress === before.group.groupAddress,
  },
  {
    id: 'R-082',
    section: 'Group OCM Address and Admin Set',
    fault: 'commit.extensions-changed',
    holds: keepsExtensions,
  },
  {
    id: 'R-071',
    section: 'Group OCM Address and Admin Set',
    fault: 'commit.admins-reordered',
    holds: ({ before, after }) => keepsOrder(adminsOf(before.group), adminsOf(after.group!)),
  },
  {
    id: 'R-070',
    section: 'Group OCM Address and Admin Set',
    fault: 'commit.admin-not-appended',
    holds: ({ before, after }) => appendsOnly(adminsOf(before.group), adminsOf(after.group!)),
  },
  {
    id: 'R-063',
    section: 'Group Admins',
    fault: 'commit.no-admin',
    holds: ({ after }) => adminsOf(after.group!).length > 0,
  },
  {
    id: 'R-080', // by address: an admin whose leaf a rejoin pair replaces is no ghost
    also: ['R-065', 'R-078', 'R-079', 'R-081'],
    section: 'Group OCM Address and Admin Set',
    fault: 'commit.ghost-admin',
    holds: ({ after }) =>
      adminsOf(after.group!).every((admin) => after.leaves.some(({ address }) => address === admin)),
  },
  {
    id: 'R-003',
    section: 'Introduction',
    fault: 'commit.second-leaf',
    holds: ({ after }) => unique(after.leaves.map(({ address }) => address)),
  },
  {
    id: 'section 7.6',
    section: 'Rejoin After State Loss',
    fault: 'commit.rejoin-by-reference',
    holds: rejoinsByValue,
  },
  {
    id: 'RFC 9420 section 7.3', // the library compares the tree with itself, not with the new leaf
    section: 'Leaf Node Validation',
    fault: 'commit.key-reused',
    holds: keepsKeysApart,
  },
];

/** Throws the fault of the first check that does not hold, with the rule as `check` among its facts. */
export function verifyCommit(intent: CommitIntent): void {
  const broken = COMMIT_CHECKS.find((check) => !check.holds(intent));
  if (!broken) return;
  throw new Fault(broken.fault, { check: broken.id, section: broken.section, committer: intent.committer?.address });
}

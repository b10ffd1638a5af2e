import type { Proposal } from 'ts-mls';
import type { OcmAddress } from '../../src/kernel/address.js';
import { fromBase64url, toHex } from '../../src/kernel/bytes.js';
import { addressOf } from '../../src/mls/credential.js';
import { adminsOf, requireFederatedGroup } from '../../src/mls/federated-group.js';
import { readFramed } from '../../src/mls/mls-message.js';
import { LAST_RESORT_EXTENSION } from '../../src/mls/own-key-package.js';
import type { Roster } from './chronicle.js';
import type { LoggedCommit } from './observer.js';

/** Who did what to whom, and by which KeyPackage. */
export interface Deed {
  readonly what: 'add' | 'remove';
  readonly by: string;
  readonly who: string;
  /** What names the KeyPackage of an Add, unless it is a last resort. */
  readonly usedUp?: string;
}

/** An epoch as its Commits alone tell it: the one that led to it, and how the group stands after. */
export interface Chapter {
  readonly epoch: number;
  readonly digest: string;
  readonly committer: string;
  readonly adminsBefore: readonly string[];
  readonly deeds: readonly Deed[];
  /** Whether it ended the group. */
  readonly reinit: boolean;
  readonly members: readonly string[];
  readonly admins: readonly string[];
}

/**
 * The history of a group by its Commits alone, read without any key and without what the servers made of them. RFC 9420
 * section 12.3: the GroupContext first, then Removes, then Adds, each into the leftmost free leaf.
 * @param log from the epoch of the roster on, without gaps
 */
export function historyOf(roster: Roster, log: readonly LoggedCommit[]): Chapter[] {
  let { admins } = roster;
  const leaves: (string | undefined)[] = roster.leaves.map((leaf) => leaf ?? undefined);
  return log.map(({ epoch, digest, commit, proposals }) => {
    const { content } = readFramed(new Uint8Array(commit), 'commit');
    const carried = proposals.map((text) => readFramed(fromBase64url(text), 'proposal').content);
    const committer = leafOf(content.sender, leaves);
    const covered = content.commit.proposals.map((one): { proposal: Proposal; by: string } => {
      if (one.proposalOrRefType === 'proposal') return { proposal: one.proposal, by: committer };
      const next = carried.shift()!;
      return { proposal: next.proposal, by: leafOf(next.sender, leaves) };
    });
    const adminsBefore = admins;
    const deeds: Deed[] = [];
    for (const { proposal } of covered) {
      if (proposal.proposalType !== 'group_context_extensions') continue;
      admins = adminsOf(requireFederatedGroup(proposal.groupContextExtensions.extensions));
    }
    for (const { proposal, by } of covered) {
      if (proposal.proposalType !== 'remove') continue;
      const { removed } = proposal.remove;
      deeds.push({ what: 'remove', by, who: leaves[removed] ?? 'nobody' });
      leaves[removed] = undefined;
    }
    for (const { proposal, by } of covered) {
      if (proposal.proposalType !== 'add') continue;
      const { leafNode, initKey, extensions } = proposal.add.keyPackage;
      const lastResort = extensions.some(({ extensionType }) => extensionType === LAST_RESORT_EXTENSION);
      const who: OcmAddress | undefined = addressOf(leafNode.credential);
      const free = leaves.indexOf(undefined);
      leaves[free < 0 ? leaves.length : free] = who;
      deeds.push({ what: 'add', by, who: who ?? 'nobody', ...(lastResort ? {} : { usedUp: toHex(initKey) }) });
    }
    const members = leaves.filter((leaf) => leaf !== undefined).sort();
    const reinit = covered.some(({ proposal }) => proposal.proposalType === 'reinit');
    return { epoch: epoch + 1, digest, committer, adminsBefore, deeds, reinit, members, admins };
  });
}

function leafOf(sender: { senderType: string; leafIndex?: number }, leaves: readonly (string | undefined)[]): string {
  const at = sender.senderType === 'member' ? sender.leafIndex : undefined;
  return (at === undefined ? undefined : leaves[at]) ?? 'nobody';
}

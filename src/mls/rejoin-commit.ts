import { toHex } from '../kernel/bytes.js';
import { readFramed } from './mls-message.js';
import { refOf } from './own-key-package.js';
import type { Suite } from './suite.js';

/** What a Commit shows to a server that cannot open it, because its own users are to come back by it. */
export interface RejoinCommit {
  /** References of the KeyPackages that it adds by value, in hex. RFC 9420 section 5.2 */
  readonly adds: readonly string[];
  /** In hex; the GroupInfo of its Welcome bears the same one. RFC 9420 section 12.4.3.1 */
  readonly confirmationTag: string;
}

/** Opens nothing and verifies nothing. Throws `codec.malformed`. OCM-MLS R-137 */
export async function readRejoinCommit(commit: Uint8Array, suite: Suite): Promise<RejoinCommit> {
  const { content, auth } = readFramed(commit, 'commit');
  const adds: string[] = [];
  for (const covered of content.commit.proposals) {
    if (covered.proposalOrRefType !== 'proposal' || covered.proposal.proposalType !== 'add') continue;
    adds.push(await refOf(covered.proposal.add.keyPackage, suite));
  }
  return { adds, confirmationTag: auth.contentType === 'commit' ? toHex(auth.confirmationTag) : '' };
}

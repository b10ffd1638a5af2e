import type { CommitDigest, Epoch } from '../kernel/ids.js';

/** A Commit by which something came true that people here were told, before the state of the group was lost. */
export interface DoubtedCommit {
  /** That it ended. */
  readonly epoch: Epoch;
  readonly digest: CommitDigest;
  /** The ids of what came true. */
  readonly changes: readonly string[];
}

/**
 * What an admin server says of the epoch that a doubted Commit ended: the digest of the Commit that ended it,
 * `not-there` when it had no member of ours in it, undefined when it cannot tell.
 */
export type Testimony = CommitDigest | 'not-there' | undefined;

/** The admin servers are asked like for missed Commits: as often, and after the same waits. */
export { gapWaitMs as doubtWaitMs, MOST_ROUNDS } from './gap.js';

/**
 * What is known after some of the doubted Commits, in the order of their epochs, were asked for. A Commit that the group
 * followed proves all before it, and one that it did not follow takes all behind it along.
 */
export function judgeDoubts(
  doubted: readonly DoubtedCommit[],
  testimonies: ReadonlyMap<Epoch, Testimony>,
): { readonly lost: readonly DoubtedCommit[]; readonly left: readonly DoubtedCommit[] } {
  const said = doubted.map((commit) => testimonies.get(commit.epoch));
  const held = doubted.findLastIndex(({ digest }, at) => said[at] === digest);
  const isLost = ({ digest }: DoubtedCommit, at: number) => at > held && said[at] !== undefined && said[at] !== digest;
  const lost = doubted.findIndex(isLost);
  if (lost === -1) return { lost: [], left: doubted.slice(held + 1) };
  return { lost: doubted.slice(lost), left: doubted.slice(held + 1, lost) };
}

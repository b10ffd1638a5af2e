import type { CommitDigest, Epoch } from '../kernel/ids.js';

/** What must be expected of a Commit that is well formed, before anybody looks into it. */
export type Verdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'duplicate'; readonly current: Epoch }
  | { readonly kind: 'stale'; readonly current: Epoch }
  | { readonly kind: 'gap'; readonly current: Epoch };

/**
 * One Commit per epoch (OCM-MLS R-015), epochs one by one. A Commit of a later epoch means that others were
 * missed; one of an epoch that has passed is the one we accepted, or came too late.
 * @param accepted the digest of the Commit that ended an epoch, as far as the log goes back
 */
export function judgeCommit(
  current: Epoch,
  commit: { readonly epoch: Epoch; readonly digest: CommitDigest },
  accepted: CommitDigest | undefined,
): Verdict {
  if (commit.epoch > current) return { kind: 'gap', current };
  if (commit.epoch === current) return { kind: 'accept' };
  return accepted === commit.digest ? { kind: 'duplicate', current } : { kind: 'stale', current };
}

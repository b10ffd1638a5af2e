import { createHash } from 'node:crypto';

/** What a list of groups and epochs is told apart by; it changes with every Commit and with nothing else. */
export const etagOf = (epochs: readonly { readonly mlsGroupId: string; readonly epoch: number }[]): string => {
  const all = epochs.map(({ mlsGroupId, epoch }) => `${mlsGroupId}:${epoch}`).sort();
  return `"${createHash('sha256').update(all.join('\n')).digest('base64url').slice(0, 27)}"`;
};

/** Whether the asker has this state already. Weak comparison. RFC 9110 section 13.1.2 */
export const isCurrent = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch?.trim() === '*' ||
  (ifNoneMatch ?? '').split(',').some((entry) => entry.trim().replace(/^W\//, '') === etag);

import { createHash } from 'node:crypto';

/** Another one when answers of the same state look different than before. */
const FORM = 2;

/**
 * What an answer about groups is told apart by: their versions, which are other ones after every Commit and whatever else
 * changes an answer, on any branch of the history (decision 38).
 */
export const etagOf = (versions: readonly string[]): string => {
  const all = [...versions].sort().join('\n');
  return `"${createHash('sha256').update(`${FORM}\n${all}`).digest('base64url').slice(0, 27)}"`;
};

/** Whether the asker has this state already. Weak comparison. RFC 9110 section 13.1.2 */
export const isCurrent = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch?.trim() === '*' ||
  (ifNoneMatch ?? '').split(',').some((entry) => entry.trim().replace(/^W\//, '') === etag);

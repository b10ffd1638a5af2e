/** How long documents of other servers are believed, in milliseconds. */
const SHORTEST = 60_000;
const LONGEST = 6 * 3_600_000;
const USUAL = 30 * 60_000;

const seconds = (text: string | undefined): number | undefined =>
  text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;

/**
 * What the server says by `Cache-Control` and `Age` (RFC 9111 section 5.2.2), within our bounds: below the shortest we
 * would ask a peer for every message, beyond the longest a withdrawn key would live too long.
 */
export function lifetimeOf(headers: Readonly<Record<string, string>>): number {
  const control = (headers['cache-control'] ?? '').toLowerCase();
  if (/\bno-(store|cache)\b/.test(control)) return SHORTEST;
  const age = /(?:^|[\s,])max-age="?([0-9]+)/.exec(control)?.[1];
  const told = seconds(age);
  if (told === undefined) return USUAL;
  const left = (told - (seconds(headers['age']) ?? 0)) * 1000;
  return Math.min(LONGEST, Math.max(SHORTEST, left));
}

const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 60_000;

/** How long a server that failed so many times in a row is not asked again. */
export const pauseAfter = (failures: number): number =>
  Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 10));

/** For so long after its end a document serves on when its server cannot be asked. */
export const GRACE = 3_600_000;

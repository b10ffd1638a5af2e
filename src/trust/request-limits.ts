import type { Allowance } from '../platform/allowance.js';

/**
 * What one peer may ask of each of our endpoints, over all replicas. The endpoints are counted apart, so that who has too
 * many shares can still send Commits. Taking in a thousand users of one server costs that server's peer a KeyPackage and
 * a Welcome for each and 16 Commits (64 users a Commit), so a burst holds several such groups.
 */
const LIMITS: Readonly<Record<string, Allowance>> = {
  '/ocm/notifications': { everyMs: 20, burst: 6_000 },
  '/ocm/mls-key-packages': { everyMs: 50, burst: 6_000 },
  '/ocm/shares': { everyMs: 100, burst: 3_000 },
  '/ocm/token': { everyMs: 50, burst: 3_000 },
  '/ocm/mls-commits': { everyMs: 500, burst: 600 },
};
const OTHERS: Allowance = { everyMs: 100, burst: 1_000 };

/** @param percent of the usual allowance, at least 1 */
export function requestLimit(endpoint: string, percent: number): Allowance {
  const { everyMs, burst } = LIMITS[endpoint] ?? OTHERS;
  return { everyMs: (everyMs * 100) / percent, burst: Math.max(1, Math.floor((burst * percent) / 100)) };
}

/** Requests that a process takes from the shared allowance at once, so that few requests cost a statement. */
export const ticketsAtOnce = ({ burst }: Allowance): number => Math.max(1, Math.min(50, Math.floor(burst / 20)));

/** What one user may ask for: changes of groups and shares, by way of the file platform. */
export const PER_USER: Allowance = { everyMs: 500, burst: 5_000 };

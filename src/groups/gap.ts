import { doubled } from '../outbox/back-off.js';

/**
 * How a server answered who lacks Commits. `ahead`: it is in a later epoch, and gave nothing that leads there;
 * `level`: it is no further; `unknown`: it knows of no such thing (404); `silent`: it could not be asked.
 */
export type GapReport = 'ahead' | 'level' | 'unknown' | 'silent';

export type GapVerdict = 'wait' | 'forget' | 'drifted';

/** With the waits below, some hours. */
export const MOST_ROUNDS = 10;
const BACK_OFF = { firstMs: 30_000, longestMs: 3_600_000 };

/** How long to wait before the admin servers are asked again. */
export const gapWaitMs = (rounds: number): number => doubled(rounds, BACK_OFF);

/**
 * What a round of asking comes to that closed no gap. Retransmission is exhausted (OCM-MLS R-132) when no admin server
 * that can be asked helps and one of them is ahead, or none knows of the Commits (D-11). That some server spoke of a
 * later epoch proves nothing: when an admin server is level with us, there is no gap. Who knows of no such thing may have
 * no admin any more, so that whoever is silent is waited for.
 * @param reports of all admin servers but ourselves
 * @param further of the other member servers, which are asked when it would be `drifted` without them, and did not help
 */
export function judgeGap(
  reports: readonly GapReport[],
  rounds: number,
  further: readonly GapReport[] = [],
): GapVerdict {
  const heard = reports.filter((report) => report !== 'silent');
  if (reports.length === 0) return 'forget';
  if (heard.length === 0) return 'wait';
  if ([...reports, ...further].includes('silent') && rounds < MOST_ROUNDS) return 'wait';
  if (heard.includes('ahead')) return 'drifted';
  if (heard.includes('level')) return 'forget';
  return heard.length < reports.length ? 'wait' : 'drifted';
}

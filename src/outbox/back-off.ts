/** How long to wait after failures, in milliseconds. */
export interface BackOff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** A Retry-After beyond this is cut: nobody may silence us for longer. */
const LONGEST_RETRY_AFTER_MS = 6 * 3_600_000;

/** Doubled so many times, up to the longest. */
export const doubled = (times: number, { firstMs, longestMs }: BackOff): number =>
  Math.min(firstMs * 2 ** Math.min(times, 40), longestMs);

/**
 * The wait after so many failures in a row: doubled each time up to the longest, then between three and five quarters
 * of that, so that what failed together does not come back together.
 * @param jitter from 0 to 1
 */
export function waitAfter(failures: number, jitter: number, backOff: BackOff): number {
  const wait = doubled(Math.max(failures, 1) - 1, backOff);
  return Math.round(wait * (0.75 + jitter / 2));
}

/** A number from 0 to 1 out of four bytes of chance. */
export const jitterFrom = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;

/** Milliseconds that `Retry-After` asks for, in seconds or as a date, cut to six hours; 0 when there is nothing to read. RFC 9110 section 10.2.3 */
export function retryAfterMs(field: string | undefined, at: Date): number {
  const text = field?.trim() ?? '';
  const asked = /^[0-9]{1,10}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - at.getTime();
  return Number.isFinite(asked) ? Math.min(Math.max(asked, 0), LONGEST_RETRY_AFTER_MS) : 0;
}

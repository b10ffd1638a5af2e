import { doubled } from '../outbox/back-off.js';

/** About three days of trying, in the end every hour. */
export const MOST_TRIES = 80;

const BACK_OFF = { firstMs: 5_000, longestMs: 3_600_000 };

/** When a KeyPackage that was not had is asked for again, after so many tries before this one. */
export const nextTryAt = (tries: number, now: Date): Date => new Date(now.getTime() + doubled(tries, BACK_OFF));

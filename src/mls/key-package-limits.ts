import type { Allowance } from '../platform/allowance.js';

/**
 * What one server may ask in all. A group of thousands on one server can be invited at one go, while trying
 * out names ends soon, since each one in vain costs as much as `MISS_COST` that are found. OCM-MLS R-037
 */
export const PER_SERVER: Allowance = { everyMs: 500, burst: 5_000 };
export const MISS_COST = 50;

/** What one server may ask of one user, and all servers together. OCM-MLS */
export const PER_SERVER_AND_USER: Allowance = { everyMs: 60_000, burst: 30 };
export const PER_USER: Allowance = { everyMs: 10_000, burst: 200 };

/** How many single-use KeyPackages of each user wait to be asked for. OCM-MLS R-043 */
export const STOCK = 8;

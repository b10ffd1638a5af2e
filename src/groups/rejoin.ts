import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';

/** A member's server asks that the leaf be replaced. */
interface Asked {
  readonly userId: OcmAddress;
  /** Of the HTTP signature: the only order between requests that is authenticated. */
  readonly created: Date;
}

interface Known {
  /** When the member's leaf was last renewed; absent for who is no member. */
  readonly renewedAt?: Date;
  /** When the latest request for the same user was signed. */
  readonly latest?: Date;
}

/**
 * What becomes of a request for one user. Who has no leaf is not admitted by it, ever (OCM-MLS R-136). The latest
 * request counts; one that was signed before the leaf was last replaced is about a leaf that is gone. Signatures
 * are dated in seconds.
 */
export function judgeRejoin({ created }: Asked, { renewedAt, latest }: Known): 'queue' | 'ignore' | 'no-member' {
  if (!renewedAt) return 'no-member';
  if (latest && created <= latest) return 'ignore';
  return created.getTime() < Math.floor(renewedAt.getTime() / 1000) * 1000 ? 'ignore' : 'queue';
}

/** Whether the server may speak for all these users: it is the one that their addresses name. OCM-MLS R-135 */
export const speaksFor = (server: Host, users: readonly OcmAddress[]): boolean =>
  users.every((user) => hostOf(user) === server);

/** Time that each admin server leaves to the one before it, so that they do not race for the same Commit. */
const GRACE_MS = 10 * 60_000;

/** When this server commits what all admin servers were asked for; the server that asks cannot itself. */
export function rejoinDueAt(admins: readonly Host[], asking: Host, here: Host, now: Date): Date {
  const rank = admins.filter((server) => server !== asking).indexOf(here);
  return new Date(now.getTime() + Math.max(0, rank) * GRACE_MS);
}

import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import { adminServers } from './group.js';

/** A group that was reinitialised, until that has come to its end here. OCM-MLS section 7.7 */
export interface Reinit {
  /** The old group. */
  readonly mlsGroupId: MlsGroupId;
  /** As the ReInit announced it; competing successors have the same id. */
  readonly successor: MlsGroupId;
  /** When this server makes the successor, unless one came before; none without an admin of ours. */
  readonly makesAt?: Date;
  /** When it next does something for that. KeyPackages are fetched early, as long as all servers are likely there. */
  readonly dueAt?: Date;
  readonly tries: number;
  /** Who made the successor that our users are in. */
  readonly creator?: OcmAddress;
  /** When the old group's last keys go. */
  readonly overAt?: Date;
}

/** What an admin's server is given to make the successor before the next one does. OCM-MLS R-148 */
const REASONABLE_MS = 3_600_000;

/**
 * For so long a successor can be replaced by one of an admin listed earlier, and late Welcomes are taken: the resumption
 * PSK and the last Group Key are kept for it (OCM-MLS section 7.7).
 */
export const KEPT_MS = 24 * 3_600_000;

/** Who is so late was away, and leaves a while to what others have made meanwhile: its news are on the way. */
const LATE_MS = 10 * 60_000;
const GRACE_MS = 15 * 60_000;

/** A KeyPackage that was fetched longer ago is fetched anew. */
export const FRESH_MS = 7 * 24 * 3_600_000;

/**
 * When a server makes the successor: that of who committed the ReInit at once (OCM-MLS R-146), the others after it, in the
 * order of the admin set. Undefined without an admin there.
 */
export function makesAt(
  here: Host,
  { admins, committer }: { readonly admins: readonly OcmAddress[]; readonly committer: OcmAddress },
  announcedAt: Date,
): Date | undefined {
  const first = hostOf(committer);
  const order = [first, ...adminServers({ admins }).filter((server) => server !== first)];
  const rank = adminServers({ admins }).includes(here) ? order.indexOf(here) : -1;
  return rank === -1 ? undefined : new Date(announcedAt.getTime() + rank * REASONABLE_MS);
}

/** When a server that comes to it at `now` has to wait on; undefined when it is to make the successor. */
export const waitsUntil = (dueAt: Date, now: Date): Date | undefined =>
  now.getTime() - dueAt.getTime() > LATE_MS ? new Date(now.getTime() + GRACE_MS) : undefined;

/** Who makes it: of the admins at home on a server the one who was asked, or who is listed first. */
export const makerAt = (here: Host, admins: readonly OcmAddress[], asked?: OcmAddress): OcmAddress | undefined =>
  admins.find((admin) => admin === asked && hostOf(admin) === here) ?? admins.find((admin) => hostOf(admin) === here);

/**
 * Of competing successors the one counts that was made by the admin listed earliest in the old group, whichever comes
 * first. Throws `welcome.outranked` for the others. OCM-MLS R-149
 * @param joined who made the one that our users are in
 */
export function rankCreator(
  admins: readonly OcmAddress[],
  joined: OcmAddress | undefined,
  creator: OcmAddress,
): 'join' | 'replace' {
  if (joined === undefined || joined === creator) return 'join';
  if (admins.indexOf(creator) < admins.indexOf(joined)) return 'replace';
  throw new Fault('welcome.outranked', { creator, joined });
}

import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { FaultCode } from '../kernel/fault.js';
import type { CommitFacts } from '../mls/group-view.js';
import { adminServers, type Group, ownerServer } from './group.js';

/** How long the group has been without a Commit, and how long it may be. */
export interface Quiet {
  readonly lastCommit: Date;
  readonly takeoverMs: number;
}

/**
 * From when on the home server of an admin may arbitrate in the owner's place: the server behind the owner once there
 * was no Commit for the takeover time, each further one that much later, so that they do not race (OCM-MLS,
 * Undefined for the owner server and for servers without an admin.
 *
 * The first admin's leaf is stale by then, and so are those of all who were passed over: a leaf is renewed by a Commit
 * only, and the takeover time is longer than the update deadline.
 */
export function takeoverAt(group: Pick<Group, 'admins'>, server: Host, quiet: Quiet): Date | undefined {
  const rank = adminServers(group).indexOf(server);
  return rank < 1 ? undefined : new Date(quiet.lastCommit.getTime() + rank * quiet.takeoverMs);
}

/** Whether some server may take over: what is committed now may have to be taken back. OCM-MLS */
export function isTriggered(group: Pick<Group, 'admins'>, quiet: Quiet, now: Date): boolean {
  const [, next] = adminServers(group);
  const from = next && takeoverAt(group, next, quiet);
  return from !== undefined && from <= now;
}

/** Whom the first Commit of `server` evicts: the admins before its own first one. OCM-MLS R-089 */
export function adminsBefore({ admins }: Pick<Group, 'admins'>, server: Host): readonly OcmAddress[] {
  return admins.slice(
    0,
    admins.findIndex((admin) => hostOf(admin) === server),
  );
}

/**
 * Of two arbiters of one epoch the one whose admin is listed earlier in that epoch wins. OCM-MLS R-090, D-14
 * @param admins the admin set of the epoch in which both Commits were made
 */
export function outranks(admins: readonly OcmAddress[], server: Host, other: Host): boolean {
  const servers = adminServers({ admins });
  const [rank, against] = [servers.indexOf(server), servers.indexOf(other)];
  return rank !== -1 && (against === -1 || rank < against);
}

/**
 * Whether a Commit makes the server that brings it the owner, by one of its own admins. An arbiter who left the silent
 * owner in its place would have to wait for the takeover time again before the next Commit. OCM-MLS R-089
 */
export const takesOver = ({ committer, before, after }: CommitFacts, server: Host): boolean =>
  hostOf(committer) === server && ownerServer(before) !== server && ownerServer(after) === server;

type Ruling = { readonly arbiter: Host } | { readonly fault: FaultCode };

interface Brought {
  readonly here: Host;
  /** The server that brings the Commit. */
  readonly from: Host;
  /** From when on it may take over. */
  readonly due: Date | undefined;
  readonly now: Date;
}

/**
 * Who arbitrates a Commit (D-14), or why nobody does. The owner server broadcasts (OCM-MLS R-015); to the owner server
 * the home server of the committer submits; the next admin's server arbitrates once the trigger is seen,
 * at the owner server, too, which was away and has nothing to arbitrate then. Who sees the trigger later lets the Commit
 * come again, so that clocks need not agree.
 */
export function arbiterOf(facts: CommitFacts, { here, from, due, now }: Brought): Ruling {
  const owner = ownerServer(facts.before);
  if (from === owner) return { arbiter: owner };
  const over = takesOver(facts, from);
  if (over && due && due <= now) return { arbiter: from };
  if (owner !== here) return { fault: over ? 'commit.takeover-early' : 'commit.not-from-owner' };
  return hostOf(facts.committer) === from ? { arbiter: here } : { fault: 'commit.not-from-home' };
}

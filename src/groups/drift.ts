import { z } from 'zod';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { FaultCode } from '../kernel/fault.js';
import { addressField } from '../ocm/wire-body.js';
import { adminServers, type Group } from './group.js';
import { doubled } from '../outbox/back-off.js';

/** Why the epoch of a group can no longer be reached from what is held here. OCM-MLS R-132, D-31 */
export const DRIFT_REASONS = [
  'commit-unopenable',
  'own-commit-unknown',
  'own-arbitration-unknown',
  'commits-missing',
  'backup-restored',
  'invited-anew',
  'leaves-replaced',
] as const;
export type DriftReason = (typeof DRIFT_REASONS)[number];

/** A Welcome comes right behind its Commit, when nothing is wrong; nobody is asked for another one before. */
const WELCOME_GRACE_MS = 10 * 60_000;

/** When the admins are to be asked for the first time. */
export const firstAsked = (reason: DriftReason, now: Date): Date =>
  reason === 'leaves-replaced' ? new Date(now.getTime() + WELCOME_GRACE_MS) : now;

interface Bringing {
  readonly here: Host;
  readonly owner: Host;
  /** Who arbitrated the Commit, or submits it. */
  readonly from: Host;
}

/**
 * What a Commit of the current epoch that could not be followed says of our own state. `suspect`: it may be of another
 * history than ours, which the admin servers can tell. A Commit that breaks policy says nothing, and one that is only
 * submitted to us harms nobody. OCM-MLS R-132
 */
export function signOfDrift(code: FaultCode, { here, owner, from }: Bringing): DriftReason | 'suspect' | undefined {
  const broadcast = from === owner && owner !== here;
  switch (code) {
    // Signed with a key that is nowhere but here, and not known here.
    case 'commit.own-echo':
      return 'own-commit-unknown';
    case 'commit.unopenable':
    case 'commit.leaves-apart':
      return broadcast ? 'commit-unopenable' : undefined;
    case 'commit.unauthentic':
      return broadcast ? 'suspect' : undefined;
    default:
      return undefined;
  }
}

const BACK_OFF = { firstMs: 10 * 60_000, longestMs: 6 * 3_600_000 };

/** How long to wait for a Welcome before the admins are asked again. */
export const rejoinWaitMs = (rounds: number): number => doubled(rounds, BACK_OFF);

/** With the waits above, more than a day. An admin server may itself be in a history that is given up. */
const ROUNDS_TO_BE_SURE = 10;

/** Servers that have no say in the group any more, beside those that say that we have none. */
const DENIALS: readonly FaultCode[] = ['rejoin.not-member', 'rejoin.not-admin-server', 'group.left', 'group.unknown'];

export const isDenial = (code: FaultCode | undefined): boolean => code !== undefined && DENIALS.includes(code);

const answer = z.object({ members: z.array(addressField).max(1_000) });

const named = z.object({ admins: z.array(addressField).max(1_000) });

/** The home servers of the admins of now, as a server says that has none any more. */
export function namedServers(body: unknown, here: Host): readonly Host[] {
  const { data } = named.safeParse(body);
  return data ? adminServers(data).filter((server) => server !== here) : [];
}

/** The servers that a lost group can be got back from: those that had an admin then, and those that they name since. */
export function askable(
  group: Pick<Group, 'admins'>,
  drift: { readonly named: readonly Host[] } | undefined,
  here: Host,
): Host[] {
  return [...new Set([...adminServers(group), ...(drift?.named ?? [])])].filter((server) => server !== here);
}

/** Who of ours is a member, as an admin server says that refuses a request for others. */
export function ownMembers(body: unknown, here: Host): readonly OcmAddress[] {
  const { data } = answer.safeParse(body);
  return data ? data.members.filter((member) => hostOf(member) === here) : [];
}

/**
 * Whether our users were removed while the state was lost: an admin server says so, and every other that we know says that
 * or has no say, for long enough.
 */
export const wasRemoved = (
  code: FaultCode | undefined,
  { deniedBy, rounds }: { readonly deniedBy: readonly Host[]; readonly rounds: number },
  admins: readonly Host[],
): boolean =>
  code === 'rejoin.not-member' && rounds >= ROUNDS_TO_BE_SURE && admins.every((server) => deniedBy.includes(server));

/** Whoever committed these KeyPackages may be gone with the Welcome; after that, others are offered. */
export const KEY_PACKAGES_GOOD_MS = 24 * 3_600_000;

import { type BackOff, waitAfter } from './back-off.js';

/** What it was sent last it took, or nothing was sent so far. */
export interface Healthy {
  readonly state: 'healthy';
  readonly since: Date;
}

/** It did not take what it was sent. One probe at a time goes out, each later than the one before. */
export interface Failing {
  readonly state: 'failing';
  readonly since: Date;
  readonly failures: number;
  readonly lastAt: Date;
  readonly nextTryAt: Date;
  readonly reason: string;
}

/** It does not speak of federation (D-22a). Nothing is sent until its discovery document changes. */
export interface Unsupported {
  readonly state: 'unsupported';
  readonly since: Date;
  readonly lastAt: Date;
  readonly nextTryAt: Date;
  readonly reason: string;
  /** Digest of the document that was seen. */
  readonly discoverySeen: string;
}

/** Policy lets nothing go to it. What waits for it is kept, and goes on in order when policy lets it. */
export interface Withheld {
  readonly state: 'withheld';
  readonly since: Date;
  readonly lastAt: Date;
  readonly nextTryAt: Date;
  /** Of its standing, such as `quarantined`. */
  readonly reason: string;
}

export type PeerHealth = Healthy | Failing | Unsupported | Withheld;

/** How rarely the discovery document of an unsupported peer is read, and how soon when the peer is heard from. */
const LOOK_AGAIN_MS = 6 * 3_600_000;
const LOOK_SOON_MS = 600_000;
/** When policy is asked again about a peer, should nobody tell that it was changed. */
const ASK_AGAIN_MS = 600_000;

const later = (at: Date, ms: number): Date => new Date(at.getTime() + ms);

/** The peer answered, or was told to be tried again: whatever it did before counts no more. */
export const well = (at: Date): Healthy => ({ state: 'healthy', since: at });

export interface Failure {
  readonly startedAt: Date;
  readonly at: Date;
  readonly reason: string;
  /** What the peer asked for; counts when it is longer than the back-off. */
  readonly retryAfterMs: number;
}

/** One more failure. What was already under way when the peer last failed tells nothing new. */
export function failed(
  health: PeerHealth,
  { startedAt, at, reason, retryAfterMs }: Failure,
  jitter: number,
  backOff: BackOff,
): Failing {
  const before = health.state === 'failing' ? health : undefined;
  if (before && startedAt <= before.lastAt) return before;
  const failures = (before?.failures ?? 0) + 1;
  const wait = Math.max(waitAfter(failures, jitter, backOff), retryAfterMs);
  return { state: 'failing', since: before?.since ?? at, failures, lastAt: at, nextTryAt: later(at, wait), reason };
}

/** Set aside, or looked at again in vain. */
export function setAside(health: PeerHealth, at: Date, reason: string, discoverySeen: string): Unsupported {
  const since = health.state === 'unsupported' ? health.since : at;
  return { state: 'unsupported', since, lastAt: at, nextTryAt: later(at, LOOK_AGAIN_MS), reason, discoverySeen };
}

/** Policy lets nothing go to it, or still does not. */
export function withhold(health: PeerHealth, at: Date, reason: string): Withheld {
  const since = health.state === 'withheld' ? health.since : at;
  return { state: 'withheld', since, lastAt: at, nextTryAt: later(at, ASK_AGAIN_MS), reason };
}

/** The peer was heard from: it is there again. Whether it learnt to speak of federation is looked up soon. */
export function heard(health: PeerHealth, at: Date): PeerHealth {
  if (health.state === 'healthy') return health;
  if (health.state === 'failing') return well(at);
  // Whether it is there is not what it waits for.
  if (health.state === 'withheld') return health;
  const soon = later(health.lastAt, LOOK_SOON_MS);
  const nextTryAt = soon < at ? at : soon;
  return nextTryAt < health.nextTryAt ? { ...health, nextTryAt } : health;
}

/** How many lanes may be under way to this peer now. */
export function lanesAllowed(health: PeerHealth, at: Date, most: number): number {
  if (health.state === 'healthy') return most;
  return health.nextTryAt <= at ? 1 : 0;
}

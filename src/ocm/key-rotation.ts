/** `http` signs messages, `token` signs access tokens. D-23 */
export const KEY_KINDS = ['http', 'token'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** `next` is published before it signs, `retired` is published as long as something it signed may be shown. */
export const KEY_STATES = ['current', 'next', 'retired'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** A key as far as its turn goes. */
export interface KeyTurn {
  readonly kid: string;
  readonly kind: KeyKind;
  readonly state: KeyState;
  readonly createdAt: Date;
  readonly retiredAt: Date | null;
}

/** Others read our JWK Set at least so often, so that a new key is known before it signs. */
export const LEAD_MS = 6 * 3_600_000;

/** Beside the life of a token: for clocks that differ, and for signatures that are looked into later. */
const KEPT_MS = 24 * 3_600_000;

/** When a key takes over. */
export const signsFrom = ({ createdAt }: Pick<KeyTurn, 'createdAt'>): Date => new Date(createdAt.getTime() + LEAD_MS);

/** When a retired key is published no more: nothing that it signed is valid then. */
export const goneAt = (retiredAt: Date, tokenLifetimeMs: number): Date =>
  new Date(retiredAt.getTime() + KEPT_MS + tokenLifetimeMs);

export interface TurnOver {
  /** Those that sign from now on, each in the stead of the current one of its kind. */
  readonly promote: readonly KeyTurn[];
  readonly remove: readonly KeyTurn[];
  /** Those whose current key is old, and that have no next one. */
  readonly renew: readonly KeyKind[];
}

export interface KeyLives {
  readonly tokenLifetimeMs: number;
  /** When a key is to be followed by another. */
  readonly signingKeyAgeMs: number;
}

/** What the time has come for. */
export function turnOver(
  keys: readonly KeyTurn[],
  now: Date,
  { tokenLifetimeMs, signingKeyAgeMs }: KeyLives,
): TurnOver {
  const old = keys.filter(
    ({ state, createdAt }) => state === 'current' && createdAt.getTime() + signingKeyAgeMs <= now.getTime(),
  );
  const isRenewed = (kind: KeyKind) => keys.some((key) => key.kind === kind && key.state === 'next');
  return {
    renew: old.map(({ kind }) => kind).filter((kind) => !isRenewed(kind)),
    promote: keys.filter((key) => key.state === 'next' && signsFrom(key) <= now),
    remove: keys.filter(
      ({ state, retiredAt }) => state === 'retired' && retiredAt && goneAt(retiredAt, tokenLifetimeMs) <= now,
    ),
  };
}

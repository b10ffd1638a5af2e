import type { Host } from '../kernel/address.js';

/** A share at one member server. OCM-MLS R-202: there is one for each server, and none for each user. */
interface At {
  readonly shareId: string;
  readonly server: Host;
  readonly since: Date;
}

interface Waiting {
  readonly tries: number;
  readonly nextTryAt: Date;
  readonly why?: string;
}

/** The server has to be told; nothing was sent. */
export type Due = At & Waiting & { readonly state: 'due' };
/** Its discovery document says that it could not use the share; asked again from time to time (D-22a). */
export type Unsupported = At & Waiting & { readonly state: 'unsupported' };
/** Its notice is written. `why` tells of a notice that could not be delivered. */
export type Announced = At & { readonly state: 'announced'; readonly providerId: string; readonly why?: string };
export type Accepted = At & { readonly state: 'accepted'; readonly providerId: string };
export type Declined = At & { readonly state: 'declined'; readonly providerId: string; readonly why: string };
/** Over for this server, because the share ended or because it has no member in the group any more. */
export type Ended = At & { readonly state: 'ended'; readonly providerId?: string };

export type ShareServer = Due | Unsupported | Announced | Accepted | Declined | Ended;
export type Untold = Due | Unsupported;
/** It holds a secret. */
export type Told = Announced | Accepted;

export const SERVER_STATES = ['due', 'unsupported', 'announced', 'accepted', 'declined', 'ended'] as const;

const at = ({ shareId, server }: At, since: Date): At => ({ shareId, server, since });

export const isTold = (row: ShareServer): row is Told => row.state === 'announced' || row.state === 'accepted';
export const isUntold = (row: ShareServer): row is Untold => row.state === 'due' || row.state === 'unsupported';

/** A server that comes back to the group is told anew, with another providerId. OCM-MLS */
export const due = (shareId: string, server: Host, since: Date): Due => ({
  shareId,
  server,
  since,
  state: 'due',
  tries: 0,
  nextTryAt: since,
});

const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 3_600_000;

/** The server could not be asked what it takes. */
export const postpone = (row: Untold, why: string, now: Date): Untold => ({
  ...row,
  tries: row.tries + 1,
  why,
  nextTryAt: new Date(now.getTime() + Math.min(FIRST_WAIT_MS * 2 ** Math.min(row.tries, 20), LONGEST_WAIT_MS)),
});

export const setAside = (row: Untold, why: string, now: Date): Unsupported => ({
  ...at(row, row.state === 'unsupported' ? row.since : now),
  state: 'unsupported',
  tries: 0,
  why,
  nextTryAt: new Date(now.getTime() + LONGEST_WAIT_MS),
});

export const announce = (row: Untold, providerId: string, now: Date): Announced => ({
  ...at(row, now),
  state: 'announced',
  providerId,
});

export const undelivered = (row: Announced, why: string): Announced => ({ ...row, why });

export const accept = (row: Told, now: Date): Accepted =>
  row.state === 'accepted' ? row : { ...at(row, now), state: 'accepted', providerId: row.providerId };

export const decline = (row: Told, why: string, now: Date): Declined => ({
  ...at(row, now),
  state: 'declined',
  providerId: row.providerId,
  why,
});

export const endAt = (row: Exclude<ShareServer, Ended>, now: Date): Ended => ({
  ...at(row, now),
  state: 'ended',
  ...('providerId' in row ? { providerId: row.providerId } : {}),
});

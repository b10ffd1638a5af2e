import { createHash } from 'node:crypto';
import { Fault } from '../kernel/fault.js';

/**
 * A place in the feed: behind how many events, and the mark of the last of them. A mark is of an event and all before it,
 * so a cursor that belongs to another history (a database that was restored from a backup) is known as such.
 */
export interface Cursor {
  readonly position: number;
  readonly mark: string;
}

/** Before all events. */
export const BEGINNING: Cursor = { position: 0, mark: '0'.repeat(16) };

/** Where reading begins. `oldest`: before all that is kept; `latest`: behind all that is there. */
export type Start = Cursor | 'oldest' | 'latest';

/** What of an event its mark binds. */
interface Marked {
  readonly number: string;
  readonly type: string;
  readonly data: unknown;
  readonly recordedAt: Date;
}

/** The mark of an event behind one with the mark `before`: the first 64 bits of a SHA-256, in hex. */
export const markAfter = (before: string, { number, type, data, recordedAt }: Marked): string =>
  createHash('sha256')
    .update(JSON.stringify([before, number, type, data, recordedAt.toISOString()]))
    .digest('hex')
    .slice(0, 16);

/** Also the `webhook-id`, which has no full stop in it: that separates what is signed. */
export const showCursor = ({ position, mark }: Cursor): string => `${position}-${mark}`;

/** Throws `feed.cursor-malformed`. */
export function parseCursor(text: string): Cursor {
  const [, position, mark] = /^(0|[1-9][0-9]{0,14})-([0-9a-f]{16})$/.exec(text) ?? [];
  if (position === undefined || mark === undefined) throw new Fault('feed.cursor-malformed');
  return { position: Number(position), mark };
}

/** Throws `feed.cursor-malformed`. */
export const startOf = (text: string): Start => (text === 'oldest' || text === 'latest' ? text : parseCursor(text));

/** Where the feed begins and ends. */
export interface FeedEnds {
  /** The last event that has its place. */
  readonly head: Cursor;
  /** The last event that was forgotten. */
  readonly pruned: Cursor;
}

/**
 * Whether what comes after the cursor is there as its holder would have it. Throws `feed.cursor-expired` when some of it
 * was forgotten, and `feed.cursor-unknown` when the cursor is of another history.
 * @param mark that of the event at the position, as it is stored; undefined where none is
 */
export function judgeCursor({ position, mark }: Cursor, { head, pruned }: FeedEnds, stored: string | undefined): void {
  if (position > head.position) throw new Fault('feed.cursor-unknown', { position, last: head.position });
  if (position < pruned.position) throw new Fault('feed.cursor-expired', { position, oldest: pruned.position });
  const known = position === pruned.position ? pruned.mark : stored;
  if (known !== mark) throw new Fault('feed.cursor-unknown', { position, last: head.position });
}

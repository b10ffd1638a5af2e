import { type Cursor, showCursor } from './cursor.js';
import type { EventType, PlacedEvent } from './event.js';

/** What is told of an event, the same in pages and streams, and but for the cursor in webhooks. */
export interface EventPicture {
  /** Of this event: whoever has read it goes on after it. */
  readonly cursor: string;
  readonly type: EventType;
  /** When it was recorded, which is when it happened here. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export const pictureOf = (event: PlacedEvent): EventPicture => ({
  cursor: showCursor(event),
  type: event.type,
  timestamp: event.recordedAt.toISOString(),
  data: event.data,
});

/** The first lines of a stream: whoever is cut off comes back after a second. */
export const FIRST_LINES = 'retry: 1000\n\n';

/** An event of a stream. JSON has no line feed in it. WHATWG HTML section 9.2.6 */
export const frameOf = (event: PlacedEvent): string =>
  `id: ${showCursor(event)}\ndata: ${JSON.stringify(pictureOf(event))}\n\n`;

/** Says that the stream lives, and up to where nothing else was to be told: a reader keeps an id without data. */
export const heartbeat = (cursor: Cursor): string => `: nothing new\nid: ${showCursor(cursor)}\n\n`;

import type { FaultKind } from './group-faults.js';

/** The part of the catalogue that is about the feed of changes and its webhooks. */
export const FEED_FAULTS = {
  'feed.cursor-malformed': { status: 400, retry: false, says: 'not a cursor of this feed' },
  'feed.cursor-expired': {
    status: 410,
    retry: false,
    says: 'events after this cursor are not kept any more: read everything anew',
  },
  'feed.cursor-unknown': {
    status: 410,
    retry: false,
    says: 'the cursor is of another history, such as before a backup was restored: read everything anew',
  },
  'feed.too-many-streams': { status: 429, retry: true, says: 'as many streams are open as may be' },
  'feed.stalled': { status: 408, retry: true, says: 'the reader of a stream takes nothing' },
  'webhook.unknown': { status: 404, retry: false, says: 'there is no such webhook' },
  'webhook.url-refused': { status: 400, retry: false, says: 'the URL is nothing to send webhooks to' },
  'webhook.too-many': { status: 409, retry: false, says: 'as many webhooks are made as may be' },
} as const satisfies Record<string, FaultKind>;

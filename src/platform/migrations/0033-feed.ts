import type { Migration } from './migration.js';

/** `feed_head` gets its one row with the first event. */
export const feed: Migration = {
  number: 33,
  name: 'feed',
  sql: `
    CREATE TABLE feed_event (
      number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      position bigint UNIQUE,
      mark text CHECK ((mark IS NULL) = (position IS NULL)),
      type text NOT NULL,
      group_address text NOT NULL,
      data jsonb NOT NULL,
      recorded_at timestamptz NOT NULL
    );
    CREATE INDEX feed_event_unplaced ON feed_event (number) WHERE position IS NULL;
    CREATE TABLE feed_head (
      one boolean PRIMARY KEY CHECK (one),
      position bigint NOT NULL,
      mark text NOT NULL,
      pruned_to bigint NOT NULL,
      pruned_mark text NOT NULL,
      CHECK (pruned_to <= position)
    );`,
};

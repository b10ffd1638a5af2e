import type { Migration } from './migration.js';

/**
 * What a backup that was made under load knows is what its rows say, and sequences are no rows. What was numbered before
 * is left behind by a span that processes of the version before do not fill while they still run.
 */
export const waterMark: Migration = {
  number: 37,
  name: 'water-mark',
  sql: `
    CREATE TABLE water_mark (
      "only" boolean PRIMARY KEY CHECK ("only"),
      number bigint NOT NULL
    ) WITH (fillfactor = 10);
    INSERT INTO water_mark SELECT true, last_value + 1000000 FROM outbox_letter_serial_seq WHERE is_called;`,
};

import type { Migration } from './migration.js';

export const repair: Migration = {
  number: 12,
  name: 'repair',
  sql: `
    CREATE TABLE group_gap (
      mls_group_id text PRIMARY KEY REFERENCES federated_group ON DELETE CASCADE,
      up_to bigint NOT NULL,
      rounds integer NOT NULL,
      due_at timestamptz NOT NULL
    );
    CREATE INDEX group_gap_due ON group_gap (due_at);`,
};

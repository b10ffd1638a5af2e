import type { Migration } from './migration.js';

export const doubt: Migration = {
  number: 17,
  name: 'doubt',
  sql: `
    CREATE TABLE group_doubt (
      mls_group_id text NOT NULL REFERENCES federated_group ON DELETE CASCADE,
      lost_at timestamptz NOT NULL,
      commits jsonb NOT NULL,
      rounds integer NOT NULL,
      due_at timestamptz NOT NULL,
      PRIMARY KEY (mls_group_id, lost_at)
    );
    CREATE INDEX group_doubt_due ON group_doubt (due_at);`,
};

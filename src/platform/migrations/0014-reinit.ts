import type { Migration } from './migration.js';

export const reinit: Migration = {
  number: 14,
  name: 'reinit',
  sql: `
    CREATE TABLE group_reinit (
      mls_group_id text PRIMARY KEY REFERENCES federated_group ON DELETE CASCADE,
      successor text NOT NULL UNIQUE,
      due_at timestamptz,
      makes_at timestamptz,
      tries integer NOT NULL,
      creator text,
      over_at timestamptz
    );
    CREATE INDEX group_reinit_due ON group_reinit (due_at);

    CREATE TABLE successor_key_package (
      mls_group_id text NOT NULL REFERENCES federated_group ON DELETE CASCADE,
      address text NOT NULL,
      key_package bytea NOT NULL,
      fetched_at timestamptz NOT NULL,
      PRIMARY KEY (mls_group_id, address)
    );`,
};

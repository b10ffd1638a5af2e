import type { Migration } from './migration.js';

export const rejoin: Migration = {
  number: 15,
  name: 'rejoin',
  sql: `
    CREATE TABLE group_drift (
      mls_group_id text PRIMARY KEY REFERENCES federated_group ON DELETE CASCADE,
      reason text NOT NULL,
      since timestamptz NOT NULL,
      key_packages jsonb NOT NULL,
      offered_at timestamptz,
      rounds integer NOT NULL,
      due_at timestamptz NOT NULL,
      arbitrated jsonb
    );
    CREATE INDEX group_drift_due ON group_drift (due_at);

    CREATE TABLE rejoin_request (
      mls_group_id text NOT NULL REFERENCES federated_group ON DELETE CASCADE,
      address text NOT NULL,
      key_package bytea NOT NULL,
      created_at timestamptz NOT NULL,
      due_at timestamptz NOT NULL,
      PRIMARY KEY (mls_group_id, address)
    );

    CREATE TABLE last_group_key (
      mls_group_id text PRIMARY KEY,
      group_key bytea NOT NULL
    );

    ALTER TABLE outbox_letter ADD COLUMN serial bigint NOT NULL GENERATED ALWAYS AS IDENTITY;`,
};

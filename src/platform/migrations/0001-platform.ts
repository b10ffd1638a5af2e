import type { Migration } from './migration.js';

export const platform: Migration = {
  number: 1,
  name: 'platform',
  sql: `
    CREATE TABLE api_key (
      id uuid PRIMARY KEY,
      name text NOT NULL,
      hash bytea NOT NULL UNIQUE,
      created_at timestamptz NOT NULL,
      last_used_on date,
      revoked_at timestamptz
    );

    CREATE TABLE vault_check (
      "only" boolean PRIMARY KEY CHECK ("only"),
      sealed bytea NOT NULL
    );

    CREATE TABLE idempotency (
      caller text NOT NULL,
      key text NOT NULL,
      fingerprint text NOT NULL,
      answer jsonb,
      created_at timestamptz NOT NULL,
      PRIMARY KEY (caller, key)
    );
    CREATE INDEX idempotency_created_at ON idempotency (created_at);
  `,
};

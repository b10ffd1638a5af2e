import type { Migration } from './migration.js';

export const mls: Migration = {
  number: 3,
  name: 'mls',
  sql: `
    CREATE TABLE mls_client (
      address text PRIMARY KEY,
      display_name text NOT NULL,
      signature_key bytea NOT NULL,
      created_at timestamptz NOT NULL
    );

    CREATE TABLE key_package (
      ref text PRIMARY KEY,
      address text NOT NULL REFERENCES mls_client ON DELETE CASCADE,
      kind text NOT NULL CHECK (kind IN ('single', 'last-resort')),
      public bytea NOT NULL,
      private bytea NOT NULL,
      state text NOT NULL CHECK (state IN ('available', 'handed-out')),
      handed_out_at timestamptz,
      handed_out_to text,
      created_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL
    );
    CREATE INDEX key_package_stock ON key_package (address, kind, state, expires_at);
    CREATE INDEX key_package_expires_at ON key_package (expires_at);

    CREATE TABLE key_package_limit (
      subject text PRIMARY KEY,
      spent_until timestamptz NOT NULL
    );
    CREATE INDEX key_package_limit_spent_until ON key_package_limit (spent_until);

    CREATE TABLE mls_group (
      mls_group_id text PRIMARY KEY,
      epoch bigint NOT NULL,
      public bytea NOT NULL,
      shared bytea NOT NULL
    );

    CREATE TABLE mls_leaf (
      mls_group_id text NOT NULL REFERENCES mls_group ON DELETE CASCADE,
      address text NOT NULL,
      leaf_index integer NOT NULL,
      private bytea NOT NULL,
      PRIMARY KEY (mls_group_id, address)
    );
    CREATE INDEX mls_leaf_address ON mls_leaf (address);

    CREATE TABLE pending_commit (
      mls_group_id text PRIMARY KEY REFERENCES mls_group ON DELETE CASCADE,
      epoch bigint NOT NULL,
      digest text NOT NULL,
      commit bytea NOT NULL,
      proposals jsonb NOT NULL,
      welcome bytea,
      facts jsonb NOT NULL,
      next bytea NOT NULL
    );

    CREATE TABLE joined_welcome (
      digest text NOT NULL,
      address text NOT NULL,
      ref text NOT NULL,
      mls_group_id text NOT NULL,
      joined_at timestamptz NOT NULL,
      PRIMARY KEY (digest, address)
    );
    CREATE INDEX joined_welcome_ref ON joined_welcome (ref);
    CREATE INDEX joined_welcome_joined_at ON joined_welcome (joined_at);
  `,
};

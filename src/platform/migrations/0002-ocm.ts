import type { Migration } from './migration.js';

export const ocm: Migration = {
  number: 2,
  name: 'ocm',
  sql: `
    CREATE TABLE server_key (
      kid text PRIMARY KEY,
      kind text NOT NULL CHECK (kind IN ('http', 'token')),
      alg text NOT NULL,
      state text NOT NULL CHECK (state IN ('current', 'next', 'retired')),
      public_jwk jsonb NOT NULL,
      private_sealed bytea NOT NULL,
      created_at timestamptz NOT NULL,
      retired_at timestamptz
    );
    CREATE UNIQUE INDEX server_key_one_current ON server_key (kind) WHERE state = 'current';

    CREATE TABLE peer_document (
      host text NOT NULL,
      kind text NOT NULL CHECK (kind IN ('discovery', 'jwk-set')),
      document jsonb,
      read_at timestamptz,
      good_until timestamptz,
      failures integer NOT NULL,
      failure text,
      retry_at timestamptz,
      PRIMARY KEY (host, kind)
    );

    CREATE TABLE seen_signature (
      fingerprint bytea PRIMARY KEY,
      replayable_until timestamptz NOT NULL
    );
    CREATE INDEX seen_signature_replayable_until ON seen_signature (replayable_until);
  `,
};

import type { Migration } from './migration.js';

export const pairing: Migration = {
  number: 25,
  name: 'pairing',
  sql: `
    CREATE TABLE pairing (
      client_id text PRIMARY KEY,
      method text NOT NULL CHECK (method IN ('signature', 'client_secret_basic')),
      secret_hash bytea CHECK ((secret_hash IS NOT NULL) = (method = 'client_secret_basic')),
      created_at timestamptz NOT NULL
    );
    CREATE TABLE introspection_limit (
      caller text PRIMARY KEY,
      spent_until timestamptz NOT NULL
    );
    CREATE INDEX introspection_limit_spent ON introspection_limit (spent_until);`,
};

import type { Migration } from './migration.js';

/** Who may federate with this server: what people decided, and what lists say. */
export const trust: Migration = {
  number: 35,
  name: 'trust',
  sql: `
    CREATE TABLE trust_version (
      lone boolean PRIMARY KEY CHECK (lone),
      version bigint NOT NULL
    );

    CREATE TABLE trust_provider (
      key text PRIMARY KEY,
      asked_at timestamptz,
      decision text CHECK (decision IN ('approved', 'refused')),
      decided_at timestamptz,
      why text,
      quarantined_at timestamptz,
      quarantine_why text,
      compatible boolean,
      limit_percent integer CHECK (limit_percent BETWEEN 1 AND 10000)
    );
    CREATE INDEX trust_provider_waiting ON trust_provider (asked_at)
      WHERE decision IS NULL AND asked_at IS NOT NULL;

    CREATE TABLE trust_rule (
      pattern text NOT NULL,
      effect text NOT NULL CHECK (effect IN ('allow', 'deny')),
      why text NOT NULL,
      made_at timestamptz NOT NULL,
      PRIMARY KEY (effect, pattern)
    );

    CREATE TABLE trust_directory (
      url text PRIMARY KEY,
      federation text,
      providers jsonb,
      skipped integer NOT NULL,
      etag text,
      issued_at timestamptz,
      read_at timestamptz,
      failure text,
      failures integer NOT NULL,
      next_try_at timestamptz NOT NULL
    );`,
};

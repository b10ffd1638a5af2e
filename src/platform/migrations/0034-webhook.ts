import type { Migration } from './migration.js';

export const webhook: Migration = {
  number: 34,
  name: 'webhook',
  sql: `
    CREATE TABLE webhook (
      id uuid PRIMARY KEY,
      url text NOT NULL,
      types jsonb,
      group_address text,
      secret bytea NOT NULL,
      earlier_secret bytea,
      earlier_until timestamptz CHECK ((earlier_until IS NULL) = (earlier_secret IS NULL)),
      state text NOT NULL CHECK (state IN ('active', 'paused', 'stopped')),
      reason text CHECK ((reason IS NOT NULL) = (state = 'stopped')),
      position bigint NOT NULL,
      mark text NOT NULL,
      claims bigint NOT NULL,
      leased_until timestamptz,
      due_at timestamptz,
      failures integer NOT NULL,
      failing_since timestamptz CHECK ((failing_since IS NULL) = (failures = 0)),
      last_outcome text,
      delivered_at timestamptz,
      created_at timestamptz NOT NULL
    );`,
};

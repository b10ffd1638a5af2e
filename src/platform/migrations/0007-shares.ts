import type { Migration } from './migration.js';

export const shares: Migration = {
  number: 7,
  name: 'shares',
  sql: `
    CREATE TABLE share (
      share_id uuid PRIMARY KEY,
      group_address text NOT NULL,
      sender text NOT NULL,
      owner text NOT NULL,
      resource jsonb NOT NULL,
      created_at timestamptz NOT NULL,
      expires_at timestamptz,
      ended_at timestamptz,
      reason text,
      CHECK ((ended_at IS NULL) = (reason IS NULL))
    );
    CREATE INDEX share_of_group ON share (group_address) WHERE ended_at IS NULL;
    CREATE INDEX share_expiring ON share (expires_at) WHERE ended_at IS NULL AND expires_at IS NOT NULL;
    CREATE INDEX share_by_time ON share (created_at, share_id);

    CREATE TABLE share_server (
      share_id uuid NOT NULL REFERENCES share ON DELETE CASCADE,
      server text NOT NULL,
      state text NOT NULL CHECK (state IN ('due', 'unsupported', 'announced', 'accepted', 'declined', 'ended')),
      provider_id text UNIQUE,
      why text,
      tries integer NOT NULL,
      next_try_at timestamptz,
      since timestamptz NOT NULL,
      PRIMARY KEY (share_id, server),
      CHECK (state NOT IN ('announced', 'accepted', 'declined') OR provider_id IS NOT NULL),
      CHECK ((next_try_at IS NOT NULL) = (state IN ('due', 'unsupported')))
    );
    CREATE INDEX share_server_due ON share_server (next_try_at) WHERE next_try_at IS NOT NULL;

    CREATE TABLE received_share (
      id uuid PRIMARY KEY,
      from_host text NOT NULL,
      provider_id text NOT NULL,
      digest text NOT NULL,
      group_address text NOT NULL,
      sender text NOT NULL,
      owner text NOT NULL,
      resource jsonb NOT NULL,
      secret bytea,
      received_at timestamptz NOT NULL,
      expires_at timestamptz,
      held_until timestamptz,
      ended_at timestamptz,
      UNIQUE (from_host, provider_id),
      CHECK ((secret IS NULL) = (ended_at IS NOT NULL))
    );
    CREATE INDEX received_share_of_group ON received_share (group_address) WHERE ended_at IS NULL;
    CREATE INDEX received_share_held ON received_share (held_until) WHERE held_until IS NOT NULL;
    CREATE INDEX received_share_expiring ON received_share (expires_at) WHERE ended_at IS NULL AND expires_at IS NOT NULL;`,
};

import type { Migration } from './migration.js';

export const failover: Migration = {
  number: 13,
  name: 'failover',
  sql: `
    CREATE TABLE takeover_watch (
      mls_group_id text PRIMARY KEY REFERENCES federated_group ON DELETE CASCADE,
      due_at timestamptz NOT NULL
    );
    CREATE INDEX takeover_watch_due ON takeover_watch (due_at);

    CREATE TABLE held_epoch (
      mls_group_id text NOT NULL REFERENCES federated_group ON DELETE CASCADE,
      epoch bigint NOT NULL,
      admins jsonb NOT NULL,
      roster jsonb NOT NULL,
      submitted text,
      held_until timestamptz NOT NULL,
      PRIMARY KEY (mls_group_id, epoch)
    );

    CREATE TABLE held_state (
      mls_group_id text NOT NULL,
      epoch bigint NOT NULL,
      part text NOT NULL,
      rows jsonb NOT NULL,
      held_until timestamptz NOT NULL,
      PRIMARY KEY (mls_group_id, epoch, part)
    );`,
};

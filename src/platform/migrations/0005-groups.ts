import type { Migration } from './migration.js';

export const groups: Migration = {
  number: 5,
  name: 'groups',
  sql: `
    CREATE TABLE federated_group (
      mls_group_id text PRIMARY KEY,
      address text NOT NULL UNIQUE,
      epoch bigint NOT NULL,
      state text NOT NULL CHECK (state IN ('active', 'left')),
      admins jsonb NOT NULL,
      submitted text,
      quiet_until timestamptz,
      changed_at timestamptz NOT NULL
    );

    CREATE TABLE group_member (
      mls_group_id text NOT NULL REFERENCES federated_group ON DELETE CASCADE,
      address text NOT NULL,
      host text NOT NULL,
      leaf_index integer NOT NULL,
      PRIMARY KEY (mls_group_id, address)
    );
    CREATE INDEX group_member_of ON group_member (address, mls_group_id);
    CREATE INDEX group_member_at ON group_member (mls_group_id, host);

    CREATE TABLE commit_log (
      mls_group_id text NOT NULL REFERENCES federated_group ON DELETE CASCADE,
      epoch bigint NOT NULL,
      digest text NOT NULL,
      arbiter text NOT NULL,
      committer text NOT NULL,
      added jsonb NOT NULL,
      removed jsonb NOT NULL,
      commit bytea NOT NULL,
      proposals jsonb NOT NULL,
      recorded_at timestamptz NOT NULL,
      PRIMARY KEY (mls_group_id, epoch)
    );

    CREATE TABLE follower_cursor (
      follower text NOT NULL,
      mls_group_id text NOT NULL REFERENCES federated_group ON DELETE CASCADE,
      epoch bigint NOT NULL,
      state text NOT NULL,
      PRIMARY KEY (follower, mls_group_id)
    );

    CREATE TABLE membership_change (
      id uuid PRIMARY KEY,
      number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
      mls_group_id text NOT NULL REFERENCES federated_group ON DELETE CASCADE,
      kind text NOT NULL,
      subject text NOT NULL,
      actor text NOT NULL,
      state text NOT NULL CHECK (state IN ('requested', 'prepared', 'committing', 'done', 'refused')),
      key_package bytea,
      digest text,
      proposed_in bigint,
      epoch bigint,
      fault text,
      tries integer NOT NULL,
      next_try_at timestamptz NOT NULL,
      requested_at timestamptz NOT NULL
    );
    CREATE INDEX membership_change_open ON membership_change (next_try_at) WHERE state IN ('requested', 'prepared');
    CREATE INDEX membership_change_of ON membership_change (mls_group_id, number);

    CREATE TABLE leave_proposal (
      mls_group_id text NOT NULL REFERENCES federated_group ON DELETE CASCADE,
      ref text NOT NULL,
      epoch bigint NOT NULL,
      leaver text NOT NULL,
      content bytea NOT NULL,
      due_at timestamptz NOT NULL,
      PRIMARY KEY (mls_group_id, ref)
    );`,
};

import type { Migration } from './migration.js';

export const approvals: Migration = {
  number: 16,
  name: 'approvals',
  sql: `
    ALTER TABLE membership_change DROP CONSTRAINT membership_change_state_check;
    ALTER TABLE membership_change ADD CONSTRAINT membership_change_state_check
      CHECK (state IN ('requested', 'prepared', 'proposed', 'committing', 'done', 'refused', 'withdrawn'));
    ALTER TABLE membership_change ADD COLUMN approved boolean NOT NULL DEFAULT true;
    ALTER TABLE membership_change ALTER COLUMN approved DROP DEFAULT;
    CREATE INDEX membership_change_proposed ON membership_change (mls_group_id, actor) WHERE state = 'proposed';

    CREATE TABLE approval_request (
      id uuid PRIMARY KEY,
      number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
      mls_group_id text NOT NULL REFERENCES federated_group ON DELETE CASCADE,
      kind text NOT NULL CHECK (kind IN ('add', 'remove', 'appoint', 'dismiss', 'reinit', 'evict')),
      subject text NOT NULL,
      proposer text,
      server text,
      ref text,
      epoch bigint,
      state text NOT NULL CHECK (state IN ('open', 'approved', 'declined', 'lapsed', 'fulfilled')),
      requested_at timestamptz NOT NULL,
      due_at timestamptz,
      decided_by text,
      decided_at timestamptz,
      reason text,
      change_id uuid REFERENCES membership_change
    );
    CREATE UNIQUE INDEX approval_request_open
      ON approval_request (mls_group_id, kind, subject, coalesce(proposer, '')) WHERE state = 'open';
    CREATE INDEX approval_request_of ON approval_request (mls_group_id, kind, subject, number);
    CREATE INDEX approval_request_due ON approval_request (due_at) WHERE state = 'open';`,
};

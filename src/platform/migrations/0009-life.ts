import type { Migration } from './migration.js';

export const life: Migration = {
  number: 9,
  name: 'life',
  sql: `
    ALTER TABLE federated_group DROP CONSTRAINT federated_group_state_check;
    ALTER TABLE federated_group ADD CONSTRAINT federated_group_state_check
      CHECK (state IN ('active', 'left', 'drifted', 'suspended', 'superseded'));
    ALTER TABLE federated_group ADD COLUMN instance integer NOT NULL DEFAULT 1;
    ALTER TABLE federated_group ALTER COLUMN instance DROP DEFAULT;
    ALTER TABLE federated_group DROP CONSTRAINT federated_group_address_key;
    CREATE UNIQUE INDEX federated_group_address ON federated_group (address) WHERE state <> 'superseded';

    ALTER TABLE group_member ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
    ALTER TABLE group_member ALTER COLUMN updated_at DROP DEFAULT;

    ALTER TABLE leave_proposal RENAME TO queued_proposal;
    ALTER TABLE queued_proposal RENAME CONSTRAINT leave_proposal_pkey TO queued_proposal_pkey;
    ALTER TABLE queued_proposal RENAME CONSTRAINT leave_proposal_mls_group_id_fkey TO queued_proposal_mls_group_id_fkey;
    ALTER TABLE queued_proposal RENAME COLUMN leaver TO proposer;
    ALTER TABLE queued_proposal ADD COLUMN kind text NOT NULL DEFAULT 'remove-self'
      CHECK (kind IN ('remove-self', 'update'));
    ALTER TABLE queued_proposal ALTER COLUMN kind DROP DEFAULT;

    UPDATE pending_commit SET facts = facts || '{"updated": []}';`,
};

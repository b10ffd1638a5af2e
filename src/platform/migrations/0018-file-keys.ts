import type { Migration } from './migration.js';

/** What `last_group_key` held opened nothing yet: nothing was wrapped before this. */
export const fileKeys: Migration = {
  number: 18,
  name: 'file-keys',
  sql: `
    DROP TABLE last_group_key;
    CREATE TABLE earlier_group_key (
      mls_group_id text NOT NULL,
      epoch bigint NOT NULL,
      group_key bytea NOT NULL,
      kept_until timestamptz,
      PRIMARY KEY (mls_group_id, epoch)
    );
    CREATE INDEX earlier_group_key_over ON earlier_group_key (kept_until);

    ALTER TABLE mls_group ADD COLUMN speaker text;
    ALTER TABLE federated_group ADD COLUMN history integer NOT NULL DEFAULT 0;
    ALTER TABLE federated_group ALTER COLUMN history DROP DEFAULT;

    CREATE TABLE encrypted_resource (
      resource_id uuid PRIMARY KEY,
      efss_id text NOT NULL UNIQUE,
      cipher text NOT NULL CHECK (cipher IN ('AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305')),
      file_key bytea NOT NULL,
      version integer NOT NULL,
      made_at timestamptz NOT NULL
    );
    ALTER TABLE share ADD COLUMN encryption jsonb;
    CREATE INDEX share_encrypted ON share (group_address, (encryption->>'resourceId'))
      WHERE ended_at IS NULL AND encryption IS NOT NULL;

    ALTER TABLE received_share ADD COLUMN encryption jsonb;
    ALTER TABLE received_share ADD COLUMN secret_order jsonb;
    ALTER TABLE token_grant ADD COLUMN next_hash bytea UNIQUE;
    CREATE TABLE wrapped_key (
      sender_host text NOT NULL,
      resource_id text NOT NULL,
      group_address text NOT NULL,
      mls_group_id text NOT NULL,
      wrapped bytea NOT NULL,
      instance integer NOT NULL,
      history integer NOT NULL,
      epoch bigint NOT NULL,
      generation bigint NOT NULL,
      speaker text NOT NULL,
      received_at timestamptz NOT NULL,
      PRIMARY KEY (sender_host, resource_id, group_address)
    );
    CREATE INDEX wrapped_key_of_group ON wrapped_key (mls_group_id, epoch);`,
};

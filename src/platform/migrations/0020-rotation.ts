import type { Migration } from './migration.js';

export const rotation: Migration = {
  number: 20,
  name: 'rotation',
  sql: `
    ALTER TABLE encrypted_resource ADD COLUMN keyed_at timestamptz;
    UPDATE encrypted_resource SET keyed_at = made_at;
    ALTER TABLE encrypted_resource ALTER COLUMN keyed_at SET NOT NULL;
    CREATE INDEX encrypted_resource_keyed ON encrypted_resource (keyed_at);

    CREATE TABLE file_key_rotation (
      resource_id uuid NOT NULL REFERENCES encrypted_resource ON DELETE CASCADE,
      version integer NOT NULL,
      cause text NOT NULL,
      state text NOT NULL CHECK (state IN ('due', 'under-way', 'sending', 'done')),
      file_key bytea CHECK ((file_key IS NOT NULL) = (state = 'under-way')),
      bytes_done bigint NOT NULL,
      bytes_total bigint,
      requested_at timestamptz NOT NULL,
      begun_at timestamptz,
      finished_at timestamptz,
      PRIMARY KEY (resource_id, version)
    );
    CREATE INDEX file_key_rotation_open ON file_key_rotation (requested_at) WHERE state <> 'done';
    CREATE TABLE file_key_delivery (
      resource_id uuid NOT NULL,
      version integer NOT NULL,
      group_address text NOT NULL,
      PRIMARY KEY (resource_id, version, group_address),
      FOREIGN KEY (resource_id, version) REFERENCES file_key_rotation ON DELETE CASCADE
    );

    CREATE INDEX share_of_resource ON share ((encryption->>'resourceId')) WHERE encryption IS NOT NULL;
    CREATE TABLE share_audience (
      group_address text NOT NULL,
      address text NOT NULL,
      PRIMARY KEY (group_address, address)
    );`,
};

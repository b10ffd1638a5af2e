import type { Migration } from './migration.js';

export const provisioning: Migration = {
  number: 27,
  name: 'provisioning',
  sql: `
    ALTER TABLE pairing ADD COLUMN jwks jsonb, ADD COLUMN integration_api text;
    ALTER TABLE pairing DROP CONSTRAINT pairing_method_check;
    ALTER TABLE pairing ADD CONSTRAINT pairing_method_check
      CHECK (method IN ('none', 'signature', 'client_secret_basic', 'private_key_jwt'));
    ALTER TABLE pairing ADD CONSTRAINT pairing_jwks_check CHECK ((jwks IS NOT NULL) = (method = 'private_key_jwt'));
    ALTER TABLE share ADD COLUMN protocol_servers jsonb;
    ALTER TABLE token_grant ADD COLUMN provisioned boolean NOT NULL DEFAULT false;
    CREATE TABLE share_record (
      provider_id text NOT NULL,
      protocol_server text NOT NULL,
      integration_api text NOT NULL,
      share_id uuid NOT NULL,
      recipient text NOT NULL,
      notice jsonb NOT NULL,
      version integer NOT NULL,
      state text NOT NULL CHECK (state IN ('due', 'stored', 'revoking')),
      granted boolean NOT NULL,
      allocated text,
      why text,
      tries integer NOT NULL,
      next_try_at timestamptz NOT NULL,
      leased_until timestamptz,
      created_at timestamptz NOT NULL,
      PRIMARY KEY (provider_id, protocol_server)
    );
    CREATE INDEX share_record_due ON share_record (next_try_at) WHERE state <> 'stored';
    CREATE INDEX share_record_share ON share_record (share_id);`,
};

import type { Migration } from './migration.js';

export const tokens: Migration = {
  number: 6,
  name: 'tokens',
  sql: `
    CREATE TABLE token_grant (
      provider_id text PRIMARY KEY,
      share_id uuid NOT NULL,
      secret_hash bytea NOT NULL UNIQUE,
      group_address text NOT NULL,
      sender text NOT NULL,
      owner text NOT NULL,
      recipient text NOT NULL,
      data jsonb NOT NULL,
      granted_at timestamptz NOT NULL,
      expires_at timestamptz,
      revoked_at timestamptz
    );
    CREATE UNIQUE INDEX token_grant_live ON token_grant (share_id, recipient) WHERE revoked_at IS NULL;`,
};

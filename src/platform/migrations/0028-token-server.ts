import type { Migration } from './migration.js';

export const tokenServer: Migration = {
  number: 28,
  name: 'token-server',
  sql: `
    ALTER TABLE pairing ADD COLUMN token_end_point text CHECK (token_end_point IS NULL OR integration_api IS NOT NULL);
    ALTER TABLE pairing DROP CONSTRAINT pairing_jwks_check;
    ALTER TABLE pairing ADD CONSTRAINT pairing_jwks_check
      CHECK ((jwks IS NOT NULL) = (method = 'private_key_jwt' OR token_end_point IS NOT NULL));
    CREATE UNIQUE INDEX pairing_token_server ON pairing ((token_end_point IS NOT NULL)) WHERE token_end_point IS NOT NULL;
    ALTER TABLE share_record ADD COLUMN secret bytea, ADD COLUMN issues boolean NOT NULL DEFAULT false;
    ALTER TABLE token_grant ADD COLUMN delegated boolean NOT NULL DEFAULT false;`,
};

import type { Migration } from './migration.js';

export const outgoingGrants: Migration = {
  number: 22,
  name: 'outgoing-grants',
  sql: `
    ALTER TABLE token_grant ADD COLUMN outgoing boolean NOT NULL DEFAULT false;
    ALTER TABLE token_grant ALTER COLUMN outgoing DROP DEFAULT;
    DROP INDEX token_grant_live;
    CREATE UNIQUE INDEX token_grant_live ON token_grant (share_id, recipient) WHERE revoked_at IS NULL AND NOT outgoing;`,
};

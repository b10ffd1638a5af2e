import type { Migration } from './migration.js';

/** What clients of SCIM call users and groups. A group keeps it when it is made anew, and an address when its group is. */
export const externalIds: Migration = {
  number: 38,
  name: 'external-ids',
  sql: `
    CREATE TABLE user_external_id (
      address text PRIMARY KEY REFERENCES mls_client ON DELETE CASCADE,
      external_id text NOT NULL
    );
    CREATE INDEX user_external_id_found ON user_external_id (external_id);
    CREATE TABLE group_external_id (
      address text PRIMARY KEY,
      external_id text NOT NULL
    );
    CREATE INDEX group_external_id_found ON group_external_id (external_id);`,
};

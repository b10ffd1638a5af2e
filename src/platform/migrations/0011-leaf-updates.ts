import type { Migration } from './migration.js';

export const leafUpdates: Migration = {
  number: 11,
  name: 'leaf-updates',
  sql: `
    ALTER TABLE group_member ADD COLUMN fresh boolean NOT NULL DEFAULT false;
    ALTER TABLE group_member ALTER COLUMN fresh DROP DEFAULT;
    ALTER TABLE group_member ADD COLUMN due_at timestamptz;
    ALTER TABLE group_member ADD COLUMN proposed_in bigint;
    CREATE INDEX group_member_due_at ON group_member (due_at);`,
};

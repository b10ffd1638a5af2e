import type { Migration } from './migration.js';

export const namedAdmins: Migration = {
  number: 24,
  name: 'named-admins',
  sql: `
    ALTER TABLE group_drift ADD COLUMN named text[] NOT NULL DEFAULT '{}';
    ALTER TABLE group_drift ALTER COLUMN named DROP DEFAULT;`,
};

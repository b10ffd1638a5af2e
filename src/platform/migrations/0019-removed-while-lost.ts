import type { Migration } from './migration.js';

export const removedWhileLost: Migration = {
  number: 19,
  name: 'removed-while-lost',
  sql: `
    ALTER TABLE group_drift ADD COLUMN denied_by text[] NOT NULL DEFAULT '{}';
    ALTER TABLE group_drift ALTER COLUMN denied_by DROP DEFAULT;`,
};

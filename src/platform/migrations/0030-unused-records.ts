import type { Migration } from './migration.js';

/** Looked for every few seconds, and hardly ever there. */
export const unusedRecords: Migration = {
  number: 30,
  name: 'unused-records',
  sql: `CREATE INDEX share_record_unused ON share_record (created_at) WHERE NOT granted;`,
};

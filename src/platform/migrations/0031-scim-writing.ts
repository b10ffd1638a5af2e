import type { Migration } from './migration.js';

/**
 * Users who are not active are known and can be invited no more. What is not settled of the changes of many groups, or about
 * many users, is shown with them.
 */
export const scimWriting: Migration = {
  number: 31,
  name: 'scim-writing',
  sql: `
    ALTER TABLE mls_client ADD COLUMN deactivated_at timestamptz;
    CREATE INDEX membership_change_unsettled ON membership_change (mls_group_id, number)
      WHERE state IN ('requested', 'prepared', 'proposed', 'committing');
    CREATE INDEX membership_change_unsettled_about ON membership_change (subject)
      WHERE state IN ('requested', 'prepared', 'proposed', 'committing');`,
};

import type { Migration } from './migration.js';

export const departures: Migration = {
  number: 23,
  name: 'departures',
  sql: `
    CREATE TABLE group_departure (
      group_address text NOT NULL,
      address text NOT NULL,
      PRIMARY KEY (group_address, address)
    );
    INSERT INTO group_departure (group_address, address)
      SELECT a.group_address, a.address FROM share_audience a WHERE NOT EXISTS (
        SELECT 1 FROM group_member m JOIN federated_group g USING (mls_group_id)
        WHERE g.address = a.group_address AND m.address = a.address);
    DROP TABLE share_audience;`,
};

import type { Migration } from './migration.js';

/**
 * SCIM finds users and groups by names whose ASCII letters have no case. No index is partial: of those the planner takes no
 * statistics of expressions.
 */
export const namesOfAnyCase: Migration = {
  number: 29,
  name: 'names-of-any-case',
  sql: `
    CREATE INDEX mls_client_address_any_case ON mls_client (lower(address COLLATE "C"));
    CREATE INDEX mls_client_name_any_case ON mls_client (lower(display_name COLLATE "C"));
    CREATE INDEX federated_group_address_any_case ON federated_group (lower(address COLLATE "C"));`,
};

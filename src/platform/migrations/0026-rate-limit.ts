import type { Migration } from './migration.js';

/** One limiter for everything that is limited; what the two before it counted may be counted anew. */
export const rateLimit: Migration = {
  number: 26,
  name: 'rate-limit',
  sql: `
    CREATE TABLE rate_limit (
      subject text PRIMARY KEY,
      spent_until timestamptz NOT NULL
    );
    CREATE INDEX rate_limit_spent ON rate_limit (spent_until);
    DROP TABLE key_package_limit;
    DROP TABLE introspection_limit;`,
};

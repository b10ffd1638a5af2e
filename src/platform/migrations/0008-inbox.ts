import type { Migration } from './migration.js';

export const inbox: Migration = {
  number: 8,
  name: 'inbox',
  sql: `
    CREATE TABLE early_mail (
      digest text PRIMARY KEY,
      mls_group_id text NOT NULL,
      epoch bigint NOT NULL,
      sender text NOT NULL,
      body jsonb NOT NULL,
      received_at timestamptz NOT NULL
    );
    CREATE INDEX early_mail_of ON early_mail (mls_group_id, epoch);
    CREATE INDEX early_mail_age ON early_mail (received_at);`,
};

import type { Migration } from './migration.js';

export const credentialRenewal: Migration = {
  number: 21,
  name: 'credential-renewal',
  sql: `
    CREATE TABLE credential_renewal (
      share_id uuid NOT NULL REFERENCES share ON DELETE CASCADE,
      server text NOT NULL,
      due_at timestamptz,
      batch uuid,
      PRIMARY KEY (share_id, server),
      CHECK ((due_at IS NULL) = (batch IS NOT NULL))
    );
    CREATE INDEX credential_renewal_due ON credential_renewal (due_at);
    CREATE INDEX credential_renewal_batch ON credential_renewal (batch);`,
};

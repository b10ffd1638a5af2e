import type { Migration } from './migration.js';

export const audit: Migration = {
  number: 10,
  name: 'audit',
  sql: `
    CREATE TABLE audit_log (
      number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      at timestamptz NOT NULL,
      act text NOT NULL,
      actor text,
      subject text,
      mls_group_id text,
      group_address text,
      epoch bigint,
      digest text,
      code text,
      facts jsonb NOT NULL,
      api_key text,
      request text
    );
    CREATE INDEX audit_log_of_group ON audit_log (group_address, number) WHERE group_address IS NOT NULL;
    CREATE INDEX audit_log_refusals ON audit_log (actor, at) WHERE code IS NOT NULL;

    CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit_log is append-only';
      END $$;
    CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
      FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();`,
};

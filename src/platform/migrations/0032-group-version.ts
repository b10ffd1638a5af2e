import type { Migration } from './migration.js';

/**
 * Which state of a group is which (decision 38). The database keeps it by itself, so that no writer can forget it, nor one
 * of an earlier release that still runs beside. No reference: a group that is gone has a version too.
 */
export const groupVersion: Migration = {
  number: 32,
  name: 'group-version',
  sql: `
    CREATE TABLE group_version (
      mls_group_id text PRIMARY KEY,
      address text NOT NULL,
      version uuid NOT NULL,
      written_in bigint NOT NULL
    );
    CREATE INDEX group_version_written_in ON group_version (written_in);

    CREATE FUNCTION group_has_new_version(id text, name text) RETURNS void LANGUAGE sql AS $$
      INSERT INTO group_version VALUES (id, name, gen_random_uuid(), pg_current_xact_id()::text::bigint)
      ON CONFLICT (mls_group_id) DO UPDATE SET version = excluded.version, written_in = excluded.written_in
    $$;

    CREATE FUNCTION group_was_written() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        written federated_group := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
      BEGIN
        PERFORM group_has_new_version(written.mls_group_id, written.address);
        RETURN NULL;
      END $$;
    CREATE TRIGGER group_came_or_went AFTER INSERT OR DELETE ON federated_group
      FOR EACH ROW EXECUTE FUNCTION group_was_written();
    CREATE TRIGGER group_moved_on AFTER UPDATE ON federated_group FOR EACH ROW
      WHEN ((OLD.address, OLD.epoch, OLD.state, OLD.instance, OLD.history, OLD.admins)
        IS DISTINCT FROM (NEW.address, NEW.epoch, NEW.state, NEW.instance, NEW.history, NEW.admins))
      EXECUTE FUNCTION group_was_written();

    CREATE FUNCTION rosters_were_written() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        id text;
      BEGIN
        FOR id IN SELECT DISTINCT mls_group_id FROM written ORDER BY 1 LOOP
          PERFORM group_has_new_version(mls_group_id, address) FROM federated_group WHERE mls_group_id = id;
        END LOOP;
        RETURN NULL;
      END $$;
    CREATE TRIGGER members_came AFTER INSERT ON group_member REFERENCING NEW TABLE AS written
      FOR EACH STATEMENT EXECUTE FUNCTION rosters_were_written();
    CREATE TRIGGER members_went AFTER DELETE ON group_member REFERENCING OLD TABLE AS written
      FOR EACH STATEMENT EXECUTE FUNCTION rosters_were_written();

    CREATE FUNCTION member_was_written() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM group_has_new_version(mls_group_id, address) FROM federated_group
          WHERE mls_group_id IN (OLD.mls_group_id, NEW.mls_group_id) ORDER BY mls_group_id;
        RETURN NULL;
      END $$;
    CREATE TRIGGER member_moved AFTER UPDATE OF mls_group_id, address, host, leaf_index ON group_member FOR EACH ROW
      WHEN ((OLD.mls_group_id, OLD.address, OLD.host, OLD.leaf_index)
        IS DISTINCT FROM (NEW.mls_group_id, NEW.address, NEW.host, NEW.leaf_index))
      EXECUTE FUNCTION member_was_written();

    -- Last: the triggers hold off whoever writes groups until all of this is there.
    INSERT INTO group_version
      SELECT mls_group_id, address, gen_random_uuid(), pg_current_xact_id()::text::bigint FROM federated_group;`,
};

import type { DataSource } from 'typeorm';

const TABLES = `SELECT quote_ident(tablename) AS name FROM pg_tables
  WHERE schemaname = 'public' AND tablename <> 'migration'`;
const SEQUENCES = `SELECT quote_ident(sequencename) AS name, last_value AS last FROM pg_sequences
  WHERE schemaname = 'public'`;

const namesOf = async (source: DataSource, sql: string): Promise<string[]> =>
  (await source.query<{ name: string }[]>(sql)).map(({ name }) => name);

/** Copies every row, and how far every sequence has come, into a schema of their own. */
export async function backUp(source: DataSource): Promise<void> {
  await source.query('DROP SCHEMA IF EXISTS backup CASCADE');
  await source.query('CREATE SCHEMA backup');
  await source.query(`CREATE TABLE backup.every_sequence AS ${SEQUENCES}`);
  for (const name of await namesOf(source, TABLES)) {
    await source.query(`CREATE TABLE backup.${name} AS TABLE public.${name}`);
  }
}

/** Makes the database what it was, and forgets the copy. Nobody else may use it meanwhile. */
export async function restore(source: DataSource): Promise<void> {
  const names = await namesOf(source, TABLES);
  await source.transaction(async (tx) => {
    await tx.query('SET LOCAL session_replication_role = replica'); // neither foreign keys nor triggers
    await tx.query(`TRUNCATE ${names.join(', ')}`);
    for (const name of names) {
      await tx.query(`INSERT INTO public.${name} OVERRIDING SYSTEM VALUE SELECT * FROM backup.${name}`);
    }
    await tx.query(`SELECT setval(name::regclass, coalesce(last, 1), last IS NOT NULL) FROM backup.every_sequence`);
  });
  await source.query('DROP SCHEMA backup CASCADE');
}

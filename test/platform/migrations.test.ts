import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../src/platform/migrations/index.js';

/** Up to here all processes had to stop for an upgrade. */
const LAST_OF_OLD = 30;

/** What a process of the version before would stumble over, or wait behind, while it still runs. */
const TAKES_AWAY: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['drops a table', /\bDROP\s+TABLE\b/i],
  ['drops a column', /\bDROP\s+COLUMN\b/i],
  ['renames', /\bRENAME\b/i],
  ['changes a type', /\bALTER\s+(COLUMN\s+)?\S+\s+(SET\s+DATA\s+)?TYPE\b/i],
  ['demands a value', /\bSET\s+NOT\s+NULL\b/i],
  ['adds a column that old code leaves empty', /\bADD\s+COLUMN\b(?:(?!,\s*ADD\b|;)[\s\S])*\bNOT\s+NULL\b/i],
  ['adds a rule to a table that is in use', /\bADD\s+(CONSTRAINT|CHECK|UNIQUE|FOREIGN|PRIMARY)\b/i],
  ['locks a table', /\bLOCK\s+TABLE\b/i],
];

/** The values that a table takes in a column, as the newest of some statements has it. */
function valuesIn(sql: string, table: string, column: string): string[] {
  const statements = sql.split(';').filter((one) => new RegExp(`\\bTABLE\\s+${table}\\b`, 'i').test(one));
  const lists = statements.flatMap((one) => [
    ...one.matchAll(new RegExp(`CHECK\\s*\\(${column}\\s+IN\\s*\\(([^)]*)\\)`, 'gi')),
  ]);
  return (
    lists
      .at(-1)?.[1]
      ?.split(',')
      .map((value) => value.trim()) ?? []
  );
}

/** A list of values that has become longer takes what it took before. */
function withoutWidened(sql: string, before: string): string {
  const exchanged =
    /ALTER TABLE (\w+) DROP CONSTRAINT (\w+);\s*ALTER TABLE \1 ADD CONSTRAINT \2\s+CHECK \((\w+) IN \(([^)]*)\)\)/g;
  return sql.replaceAll(exchanged, (whole: string, table: string, _: string, column: string) => {
    const [old, now] = [valuesIn(before, table, column), valuesIn(whole, table, column)];
    return old.length > 0 && old.every((value) => now.includes(value)) ? '' : whole;
  });
}

/** Why a step is not additive after the ones before; empty when it is. A column with a value for all rows is. */
function takenAway(step: string, before = ''): string[] {
  const sql = withoutWidened(step, before);
  const made = new Set([...sql.matchAll(/\bCREATE\s+TABLE\s+(\w+)/gi)].map(([, name]) => name));
  const statements = sql.split(';').map((one) => one.trim());
  return statements
    .filter((one) => !made.has(/\bALTER\s+TABLE\s+(\w+)/i.exec(one)?.[1] ?? ''))
    .flatMap((one) => {
      const unique = /\bCREATE\s+UNIQUE\s+INDEX\b[\s\S]*?\bON\s+(\w+)/i.exec(one)?.[1];
      const rule = unique !== undefined && !made.has(unique) ? ['makes a column of a table in use unique'] : [];
      const plain = one
        .replaceAll(/\bNOT\s+NULL\s+DEFAULT\b/gi, 'DEFAULT')
        .replaceAll(/\bDEFAULT\s+\S+\s+NOT\s+NULL\b/gi, '');
      return [...TAKES_AWAY.filter(([, pattern]) => pattern.test(plain)).map(([what]) => what), ...rule];
    });
}

test.each([
  ['CREATE TABLE one (n integer NOT NULL PRIMARY KEY); CREATE UNIQUE INDEX i ON one (n)', []],
  ["ALTER TABLE one ADD COLUMN n text NOT NULL DEFAULT ''", []],
  ['ALTER TABLE one ADD COLUMN n text', []],
  ['CREATE INDEX i ON one (n); INSERT INTO one SELECT 1', []],
  ['ALTER TABLE one ADD COLUMN n text NOT NULL', ['adds a column that old code leaves empty']],
  [
    'ALTER TABLE one ADD COLUMN n text DEFAULT 1, ADD COLUMN m text NOT NULL',
    ['adds a column that old code leaves empty'],
  ],
  ['ALTER TABLE one RENAME COLUMN n TO m', ['renames']],
  ['ALTER TABLE one DROP COLUMN n', ['drops a column']],
  ['ALTER TABLE one ALTER COLUMN n SET NOT NULL', ['demands a value']],
  ['ALTER TABLE one ALTER n TYPE bigint', ['changes a type']],
  ['ALTER TABLE one ADD CONSTRAINT c CHECK (n > 0)', ['adds a rule to a table that is in use']],
  ['CREATE UNIQUE INDEX i ON one (n)', ['makes a column of a table in use unique']],
  ['CREATE TABLE two (n integer); DROP TABLE one', ['drops a table']],
])('%s', (sql, why) => {
  expect(takenAway(sql)).toEqual(why);
});

const LIST = "CREATE TABLE one (n text NOT NULL CHECK (n IN ('a', 'b')), m text CHECK (m IN ('x')))";
test.each([
  ["'a', 'b', 'c'", []],
  ["'a', 'c'", ['adds a rule to a table that is in use']],
])('a list of values that becomes %s', (list, why) => {
  const exchange = `ALTER TABLE one DROP CONSTRAINT one_n_check; ALTER TABLE one ADD CONSTRAINT one_n_check CHECK (n IN (${list}))`;
  expect(takenAway(exchange, LIST)).toEqual(why);
  expect(takenAway(exchange)).toEqual(['adds a rule to a table that is in use']);
});

test('what came before had such steps, so they are seen', () => {
  expect(MIGRATIONS.filter(({ number, sql }) => number <= LAST_OF_OLD && takenAway(sql).length > 0)).not.toEqual([]);
});

const before = (step: number): string =>
  MIGRATIONS.filter(({ number }) => number < step)
    .map(({ sql }) => sql)
    .join(';');

test('a step takes nothing away that the version before uses, unless it says since when nobody does', () => {
  const wrong = MIGRATIONS.filter(({ number }) => number > LAST_OF_OLD)
    .filter(({ unusedSince }) => unusedSince === undefined)
    .flatMap(({ number, sql }) => takenAway(sql, before(number)).map((why) => `${number} ${why}`));
  expect(wrong).toEqual([]);
});

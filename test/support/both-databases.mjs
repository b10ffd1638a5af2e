import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';

/**
 * `node test/support/both-databases.mjs FOLDER`: fails when the service ran a statement on PostgreSQL that it never ran on
 * the embedded database, after the tests of both wrote theirs down (`COVEY_STATEMENTS`). So a story may run on PostgreSQL
 * alone when it asks the databases for nothing new.
 */
const folder = argv[2];

/** Without what differs from call to call: how many parameters and rows a statement has. */
const shape = (sql) =>
  sql
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\$\d+/g, '$')
    .replaceAll(/\$(, ?\$)+/g, '$')
    .replaceAll(/\((DEFAULT|\$)(, ?(DEFAULT|\$))*\)/g, '($)')
    .replaceAll(/\(\$\)(, ?\(\$\))+/g, '($)')
    .replaceAll(/\S+ IN \(\$\)/g, '0=1')
    .replaceAll(/LIMIT \d+/g, 'LIMIT $')
    .trim();

const read = (kind) =>
  new Set(
    readFileSync(join(folder, `${kind}.jsonl`), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => shape(JSON.parse(line))),
  );

/** What tests ask for themselves, by its beginning, and how TypeORM looks at a schema. */
const asked = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => shape(readFileSync(join('test', name), 'utf8')))
  .join('\n');
const isOfTests = (sql) =>
  asked.includes(sql.slice(0, 60)) ||
  /"nspname"|session_replication_role|information_schema|\bFROM backup\.|^(CREATE|DROP|ALTER|TRUNCATE|COMMENT)\b/.test(
    sql,
  );

const [embedded, postgres] = [read('embedded'), read('postgres')];
const missing = [...postgres].filter((sql) => !embedded.has(sql) && !isOfTests(sql));
console.log(`Statements: ${embedded.size} on the embedded database, ${postgres.size} on PostgreSQL`);
for (const sql of missing) console.log(`on PostgreSQL alone: ${sql}`);
process.exitCode = missing.length > 0 ? 1 : 0;

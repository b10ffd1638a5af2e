import { readFileSync } from 'node:fs';
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
    .trim();

const read = (kind) =>
  new Set(
    readFileSync(join(folder, `${kind}.jsonl`), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => shape(JSON.parse(line))),
  );

/** What tests ask for themselves, and the migrations of tests that have their own. */
const OF_TESTS = /pg_(stat_activity|terminate_backend|blocking_pids|tables|indexes)|information_schema|^(CREATE|DROP|ALTER|TRUNCATE)\b/;

const [embedded, postgres] = [read('embedded'), read('postgres')];
const missing = [...postgres].filter((sql) => !embedded.has(sql) && !OF_TESTS.test(sql));
console.log(`Statements: ${embedded.size} on the embedded database, ${postgres.size} on PostgreSQL`);
for (const sql of missing) console.log(`on PostgreSQL alone: ${sql}`);
process.exitCode = missing.length > 0 ? 1 : 0;

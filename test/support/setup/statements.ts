import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner.js';
import { afterAll, inject } from 'vitest';

/**
 * With `COVEY_STATEMENTS`, a folder, every statement that a test runs is written down there, once, in a file for each
 * database: `both-databases.mjs` compares them.
 */
const folder = process.env['COVEY_STATEMENTS'];
const kind = (inject('database') as ReturnType<typeof inject<'database'>> | undefined)?.kind;
const global = globalThis as { coveyStatements?: Set<string> };

if (folder && kind) {
  if (!global.coveyStatements) {
    const seen = (global.coveyStatements = new Set<string>());
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const query = PostgresQueryRunner.prototype.query as (
      this: PostgresQueryRunner,
      ...args: unknown[]
    ) => Promise<never>;
    PostgresQueryRunner.prototype.query = function (...args: unknown[]) {
      seen.add(String(args[0]));
      return query.apply(this, args);
    };
  }
  afterAll(() => {
    const lines = [...global.coveyStatements!].map((sql) => `${JSON.stringify(sql)}\n`);
    appendFileSync(join(folder, `${kind}.jsonl`), lines.join(''));
    global.coveyStatements!.clear();
  });
}

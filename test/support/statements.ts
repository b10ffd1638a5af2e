import type { DataSource } from 'typeorm';

/** What the work asks the database, with parameters. */
export async function statementsOf(source: DataSource, work: () => Promise<unknown>): Promise<[string, unknown[]][]> {
  const asked: [string, unknown[]][] = [];
  const create = source.createQueryRunner.bind(source);
  source.createQueryRunner = (...args) => {
    const runner = create(...args);
    const query = runner.query.bind(runner) as (sql: string, parameters?: unknown[], ...more: unknown[]) => unknown;
    runner.query = ((sql: string, parameters?: unknown[], ...more: unknown[]) => {
      asked.push([sql, parameters ?? []]);
      return query(sql, parameters, ...more);
    }) as typeof runner.query;
    return runner;
  };
  try {
    await work();
  } finally {
    source.createQueryRunner = create;
  }
  return asked;
}

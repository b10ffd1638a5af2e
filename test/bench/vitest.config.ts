import { defineConfig } from 'vitest/config';

/** `npm run bench`: one file, one process, on a real PostgreSQL. */
export default defineConfig({
  test: {
    include: ['test/bench/all.bench.ts'],
    globalSetup: 'test/support/setup/postgres.ts',
    setupFiles: ['reflect-metadata'],
    pool: 'forks',
    maxWorkers: 1,
    hookTimeout: 120_000,
    disableConsoleIntercept: true,
  },
});

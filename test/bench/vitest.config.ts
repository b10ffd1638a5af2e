import { defineConfig } from 'vitest/config';

/** `npm run bench`: one process, on a real PostgreSQL; `npm run bench -- groups` for that part alone. */
export default defineConfig({
  test: {
    include: ['test/bench/*.bench.ts'],
    fileParallelism: false,
    globalSetup: 'test/support/setup/postgres.ts',
    setupFiles: ['reflect-metadata'],
    pool: 'forks',
    maxWorkers: 1,
    hookTimeout: 120_000,
    disableConsoleIntercept: true,
  },
});

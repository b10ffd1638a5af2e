import { defineConfig } from 'vitest/config';

/** `npm run simulate`: one process, on a real PostgreSQL. */
export default defineConfig({
  test: {
    include: ['test/simulator/simulate.sim.ts'],
    globalSetup: 'test/support/setup/postgres.ts',
    setupFiles: ['reflect-metadata'],
    pool: 'forks',
    maxWorkers: 1,
    disableConsoleIntercept: true,
  },
});

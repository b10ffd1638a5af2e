import { availableParallelism } from 'node:os';
import { defineConfig, type UserWorkspaceConfig } from 'vitest/config';

/**
 * Tests that use a database are named `*.db.test.ts` and run twice, on the embedded database and on PostgreSQL. What
 * needs several transactions at the same time, which the embedded database has not, and stories all of whose queries other
 * tests run on both, are named `*.pg.test.ts` and run on PostgreSQL. All others run once, in `pure`. A database test with the wrong name fails: `leaseDatabase` gives nothing
 * in `pure`.
 */
const project = (name: string, files: Partial<UserWorkspaceConfig['test']>): UserWorkspaceConfig => ({
  test: {
    name,
    pool: 'forks',
    // Modules and databases are made once per process, not once per file.
    isolate: false,
    maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
    setupFiles: ['reflect-metadata', 'test/support/setup/statements.ts'],
    testTimeout: 120_000,
    hookTimeout: 90_000,
    ...files,
  },
});

const DATABASE_TESTS = 'test/**/*.db.test.ts';
const POSTGRES_TESTS = 'test/**/*.pg.test.ts';

export default defineConfig({
  test: {
    coverage: { provider: 'v8', include: ['src/**/*.ts'] },
    projects: [
      project('pure', { include: ['test/**/*.test.ts'], exclude: [DATABASE_TESTS, POSTGRES_TESTS] }),
      project('embedded', { include: [DATABASE_TESTS], globalSetup: 'test/support/setup/embedded.ts' }),
      project('postgres', {
        include: [DATABASE_TESTS, POSTGRES_TESTS],
        globalSetup: 'test/support/setup/postgres.ts',
      }),
    ],
  },
});

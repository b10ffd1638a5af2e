import { expect, test } from 'vitest';
import { DataSource } from 'typeorm';
import { World } from './world.js';

test.each(['COMMIT', 'ROLLBACK'] as const)(
  'workers who looked while something was written look again after its %s, if need be',
  async (end) => {
    await using world = await World.of('a.test');
    const server = world.server('a.test');
    await world.settle();
    const runner = server.get(DataSource).createQueryRunner();
    await runner.startTransaction();
    await runner.query(
      `INSERT INTO outbox_peer (host, state, since, failures, served_at) VALUES ('b.test', 'healthy', now(), 0, now())`,
    );
    await world.settle();
    expect(server.isAtRest).toBe(true);
    await (end === 'COMMIT' ? runner.commitTransaction() : runner.rollbackTransaction());
    await runner.release();
    expect(server.isAtRest).toBe(end === 'ROLLBACK');
  },
);

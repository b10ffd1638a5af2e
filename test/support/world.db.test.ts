import { expect, test } from 'vitest';
import { World } from './world.js';

test('servers of a world have their own databases and answer', async () => {
  await using world = await World.of('a.test', 'b.test');
  await world.server('a.test').api('POST', '/api-keys', { name: 'second' });
  await world.settle();
  for (const [name, keys] of [
    ['a.test', 2],
    ['b.test', 1],
  ] as const) {
    expect(await world.server(name).query('SELECT id FROM api_key')).toHaveLength(keys);
  }
});

test('what was not committed when a server died is lost, and it boots again on what was', async () => {
  await using world = await World.of('a.test');
  const server = world.server('a.test');
  const create = (name: string) => server.api('POST', '/api-keys', { name });
  await create('first');
  server.crash.watch();
  await create('second');
  const statements = [...server.crash.statements];
  for (const when of ['before', 'after'] as const) {
    for (const statement of statements.keys()) {
      server.crash.arm(statement + 1, when);
      await create(`${when} ${statements[statement]!.slice(0, 10)}`);
      expect(server.isAlive).toBe(false);
      await world.restart('a.test');
    }
  }
  const kept = await server.query<{ name: string }>(`SELECT name FROM api_key WHERE name ~ '^(before|after)'`);
  expect(kept.map(({ name }) => name)).toEqual(['after COMMIT']);
});

import { expect, test } from 'vitest';
import { Poller } from '../../src/platform/poller.service.js';
import { Vault } from '../../src/platform/vault.service.js';
import type { Environment } from '../support/environment.js';
import type { TestServer } from '../support/server.js';
import { World } from '../support/world.js';

const [OLD, NEW] = [1, 2].map((fill) => Buffer.alloc(32, fill).toString('base64url')) as [string, string];

interface Keys {
  readonly sealing: readonly { readonly id: string; readonly seals: boolean; readonly values: number }[];
}
const sealing = async (server: TestServer) => ((await server.api('GET', '/keys')).body as Keys).sealing;

/** A server with something sealed in every place: keys, states, a share of another server's, a letter that waits. */
async function laboratory(environment: Environment = {}) {
  const world = await World.with({ 'a.test': environment, 'b.test': {} });
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  await bob.share(lab, 'notes.txt');
  world.wire('a.test', 'b.test').cut();
  await alice.appoint(lab, bob);
  await world.settle();
  const server = world.server('a.test');
  return { world, server, lab, alice, bob };
}

test('D-28 with a new key in front everything is sealed anew, and then the old one may go', async () => {
  const { world, server, lab, alice, bob } = await laboratory({ COVEY_SEALING_KEY: OLD });
  await using _ = world;
  const [before] = await sealing(server);
  expect(before).toMatchObject({ seals: true });
  expect(before!.values).toBeGreaterThan(10);

  await server.restart({ COVEY_SEALING_KEY: `${NEW},${OLD}` });
  expect(await sealing(server)).toMatchObject([
    { seals: true },
    { id: before!.id, seals: false, values: before!.values },
  ]);
  const turn = server.get(Poller).turns.find(({ name }) => name === 'platform.resealing')!;
  while (await turn.turn());
  const [first, second] = await sealing(server);
  expect([first!.values, second!.values]).toEqual([before!.values, 0]);

  await server.restart({ COVEY_SEALING_KEY: NEW });
  world.wire('a.test', 'b.test').mend();
  await world.pass(3_600_000);
  expect((await bob.sees(lab)).admins).toHaveLength(2);
  expect(await alice.open('notes.txt')).toHaveProperty('access_token');
});

test('every column with sealed values is known, so that none is forgotten', async () => {
  const { world, server } = await laboratory();
  await using _ = world;
  const vault = server.get(Vault);
  const known = vault.columns.map(({ table, column }) => `${table}.${column}`);
  const bytea = await server.query<{ table: string; column: string }>(
    `SELECT table_name AS table, column_name AS column FROM information_schema.columns
     WHERE table_schema = 'public' AND data_type = 'bytea'`,
  );
  for (const { table, column } of bytea.filter((one) => one.table !== 'vault_check')) {
    const [row] = await server.query<{ sealed: number }>(
      `SELECT count(*)::integer AS sealed FROM ${table} WHERE encode(substring(${column} FROM 2 FOR 8), 'hex') = $1`,
      [vault.keyIds[0]],
    );
    if (row!.sealed > 0) expect(known).toContain(`${table}.${column}`);
  }
});

import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { World } from '../support/world.js';

/** How long a notice that was begun and not written may wait for the next try. */
const LEASE_MS = 120_000;

test('a server that dies anywhere between asking a peer and writing to it announces the share once all the same', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  const a = world.server('a.test');
  // How many statements it takes when nothing happens.
  await alice.share(lab, 'undisturbed');
  a.crash.watch();
  await world.settle();
  const statements = a.crash.statements.length;
  expect(statements).toBeGreaterThan(20);
  const deaths: string[] = [];
  for (let part = 1; part <= 8; part++) {
    const name = `disturbed-${part}`;
    await alice.share(lab, name);
    a.crash.arm(Math.floor((statements * part) / 9), part % 2 === 0 ? 'before' : 'after');
    await world.settle();
    if (!a.isAlive) deaths.push(name);
    await world.restart('a.test');
    await world.pass(LEASE_MS + 60_000);
    expect((await bob.receives()).filter((share) => share.name === name)).toHaveLength(1);
    expect(await bob.open(name)).toMatchObject({ uri: `https://a.test/webdav/${name}` });
  }
  expect(deaths.length).toBeGreaterThan(4);
  const living = await a.query<{ shares: string; grants: string }>(
    `SELECT count(DISTINCT share_id) AS shares, count(*) AS grants FROM token_grant
     WHERE recipient = 'b.test' AND revoked_at IS NULL`,
  );
  expect(living).toEqual([{ shares: '9', grants: '9' }]);
  const announced = world.network.sent({ to: host('b.test'), what: '/ocm/shares', outcome: 201 });
  const bodies = new Set(announced.map(({ request }) => Buffer.from(request.body!).toString()));
  expect(bodies.size).toBe(9);
}, 300_000);

import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { agree } from './agreement.js';
import { World } from '../support/world.js';
import { audited } from './audited.js';
import { labOfThree } from './forgery.js';

const HOUR = 3_600_000;
const [a, b] = [host('a.test'), host('b.test')];

test('D-31 R-041 a server restored from the backup of last week notices before anything is sent, and rejoins', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await world.add('d.test');
  const [dave] = await world.users('dave@d.test');
  await alice.add(lab, dave);
  await world.settle();
  const server = world.server('b.test');
  const club = await bob.createGroup('club');
  await server.backUp();
  await server.restoreBackup();
  // A copy after which nothing left is no step back.
  expect(await bob.sees(lab)).toMatchObject({ state: 'active' });

  await server.backUp();
  await bob.share(lab, 'new.tar');
  await alice.appoint(lab, charlie);
  await world.settle();
  const { epoch } = await alice.sees(lab);
  expect((await bob.sees(lab)).epoch).toBe(epoch);
  const inStock = `SELECT ref FROM key_package WHERE kind = 'single' AND state = 'available'`;
  const stock = (await server.query<{ ref: string }>(inStock)).map(({ ref }) => ref);
  world.clock.advanceDays(7);
  const sent = world.network.sent({ from: b }).length;
  await server.restoreBackup();
  expect(await bob.sees(lab)).toMatchObject({ state: 'drifted', epoch: epoch - 1 });
  expect(await bob.sees(club)).toMatchObject({ state: 'active' });
  expect(world.network.sent({ from: b })).toHaveLength(sent);

  await world.pass(HOUR);
  const given = (await server.query<{ ref: string }>(inStock)).map(({ ref }) => ref);
  expect(given).not.toEqual([]);
  expect(given.filter((ref) => stock.includes(ref))).toEqual([]);
  const [asked] = world.network.sent({ from: b }).slice(sent);
  expect(asked).toMatchObject({ what: '/.well-known/ocm', to: a });
  expect(world.network.sent({ from: b, what: 'MLS_COMMIT' })).toEqual([]);
  expect(await agree(lab, alice, bob, charlie, dave)).toMatchObject({ state: 'active', epoch: epoch + 1 });
  await bob.leave(lab);
  await world.settle();
  expect((await agree(lab, alice, charlie, dave)).members).toHaveLength(3);
  await server.restart();
  expect(await bob.sees(lab)).toMatchObject({ state: 'left' });
});

test('D-31 R-041 a KeyPackage that was given after the backup was made is not given again, though nothing else left', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const server = world.server('b.test');
  await server.backUp();
  const lab = await alice.createGroup('lab');
  world.wire(a, b).loseNextRequest('MLS_WELCOME');
  await alice.add(lab, bob);
  await world.settle();
  const inStock = `SELECT ref FROM key_package WHERE state = 'available' AND kind = 'single'`;
  const refs = async () => (await server.query<{ ref: string }>(inStock)).map(({ ref }) => ref);
  await server.restoreBackup();
  await world.settle();
  const [before, now] = [await server.query<{ ref: string }>('SELECT ref FROM key_package'), await refs()];
  expect(now).not.toEqual([]);
  expect((await audited(world, 'b.test')).map(({ act }) => act)).toContain('backup.restored');
  const given = before.map(({ ref }) => ref).filter((ref) => !now.includes(ref));
  expect(given.length).toBeGreaterThan(0);
});

test('D-31 R-173 a server that was set up from a backup is told once more of what was shared and what ended since', async () => {
  const { world, lab, alice, bob } = await labOfThree();
  await using _ = world;
  const server = world.server('b.test');
  await alice.share(lab, 'old.tar');
  const ended = await alice.share(lab, 'ended.tar');
  await world.settle();
  world.clock.advanceHours(1);
  await server.backUp();
  await alice.unshare(ended);
  await alice.shareEncrypted(lab, 'new.tar');
  await bob.share(lab, 'own.tar');
  await world.settle();
  const names = async () => (await bob.receives()).map(({ name }) => name).sort();
  expect(await names()).toEqual(['new.tar', 'old.tar', 'own.tar']);
  await server.restoreBackup();
  expect(await names()).toEqual(['ended.tar', 'old.tar']);
  await world.pass(2 * HOUR);
  await agree(lab, alice, bob);
  expect(await names()).toEqual(['new.tar', 'old.tar']);
  expect(await bob.fileKey('new.tar')).toMatch(/^[\w-]{43}$/);
  for (const name of await names()) expect(await bob.open(name)).toHaveProperty('access_token');
});

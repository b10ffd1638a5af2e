import { expect, test } from 'vitest';
import { agree } from './agreement.js';
import { labOfThree } from './forgery.js';

const HOUR = 3_600_000;

test('D-31 a server that was set up from a backup, and forgot that it ended a share, tells all others that it goes on', async () => {
  const { world, lab, alice, bob } = await labOfThree();
  await using _ = world;
  const server = world.server('b.test');
  const ended = await bob.share(lab, 'ended.tar');
  await bob.shareEncrypted(lab, 'other.tar');
  await world.settle();
  world.clock.advanceHours(1);
  await server.backUp();
  await bob.unshare(ended);
  await world.settle();
  const names = async () => (await alice.receives()).map(({ name }) => name).sort();
  expect(await names()).toEqual(['other.tar']);
  await server.restoreBackup();
  await world.pass(2 * HOUR);
  await agree(lab, alice, bob);
  expect(await bob.shared(ended)).toMatchObject({ state: 'open' });
  expect(await names()).toEqual(['ended.tar', 'other.tar']);
  for (const name of await names()) expect(await alice.open(name)).toHaveProperty('access_token');
  expect(await alice.fileKey('other.tar')).toMatch(/^[\w-]{43}$/);
});

test('D-31 a backup of before a share was announced is known for one, though this server sent nothing since', async () => {
  const { world, lab, alice, bob } = await labOfThree();
  await using _ = world;
  const server = world.server('b.test');
  const ended = await alice.share(lab, 'ended.tar');
  await alice.share(lab, 'stays.tar');
  await world.settle();
  await server.backUp();
  await alice.share(lab, 'late.tar');
  await world.settle();
  expect(await bob.open('late.tar')).toHaveProperty('access_token');
  await server.restoreBackup();
  await world.pass(2 * HOUR);
  await agree(lab, alice, bob);
  expect(await bob.open('late.tar')).toHaveProperty('access_token');

  await server.backUp();
  await alice.unshare(ended);
  await world.settle();
  await server.restoreBackup();
  await world.pass(2 * HOUR);
  expect((await bob.receives()).map(({ name }) => name).sort()).toEqual(['late.tar', 'stays.tar']);
});

import { expect, test } from 'vitest';
import { agree } from './agreement.js';
import { labOfThree } from './forgery.js';

const HOUR = 3_600_000;

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

import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { agree } from './agreement.js';
import { lab, wrappedIn } from './file-keys-lab.js';

const HOUR = 3_600_000;
const [a, b, c] = ['a.test', 'b.test', 'c.test'].map(host) as [never, never, never];

test('R-159 R-160 R-161 R-190 R-191 one resource in two groups has one name and one key, and is open through the second after leaving the first', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  const attic = await alice.createGroup('attic', [bob, charlie]);
  await world.settle();
  const [one, two] = [await alice.shareEncrypted(group, 'data.tar'), await alice.shareEncrypted(attic, 'data.tar')];
  await world.settle();
  const key = await alice.keyOfShared(one);
  expect(await alice.keyOfShared(two)).toBe(key);
  const received = await bob.receives();
  expect(received.map((share) => share.group).sort()).toEqual([attic, group].sort());
  expect(new Set(received.map((share) => share.encryption!.resourceId)).size).toBe(1);
  expect(new Set(received.map((share) => share.providerId)).size).toBe(2);
  await bob.leave(group);
  await world.settle();
  expect((await bob.receives()).map((share) => share.group)).toEqual([attic]);
  expect(await bob.fileKey('data.tar')).toBe(key);
  expect(await charlie.fileKey('data.tar')).toBe(key);
});

test('R-122 R-209 keys that come before their Commit wait for it, and a share whose key has not come says so', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  await alice.add(group, charlie);
  await world.settle();
  // Bob's server shares; Charlie's hears of the next epoch from Alice's server late.
  const share = await bob.shareEncrypted(group, 'data.tar');
  await world.settle();
  const key = await bob.keyOfShared(share);
  expect(await charlie.fileKey('data.tar')).toBe(key);
  world.wire(a, c).cut();
  await alice.appoint(group, bob);
  await world.settle();
  const told = world.network.sent({ from: b, to: c, what: 'MLS_APPLICATION' });
  expect(told.at(-1)).toMatchObject({ outcome: 202 });
  expect(await charlie.fileKey('data.tar')).toBe(key);
  world.wire(a, c).mend();
  await world.pass(HOUR);
  await agree(group, alice, bob, charlie);
  expect(await charlie.fileKey('data.tar')).toBe(key);
  const { epoch } = await alice.sees(group);
  expect(await wrappedIn(world, 'c.test')).toEqual([epoch]);

  await world.server('c.test').query('DELETE FROM wrapped_key');
  expect(await charlie.fileKey('data.tar')).toBe('share.no-key-yet');
  await alice.dismiss(group, bob);
  await world.settle();
  expect(await charlie.fileKey('data.tar')).toBe(key);
});

test('R-145 R-152 R-153 R-154 a successor of the group keeps every file open: its key goes out under the new Group Key', async () => {
  const { world, group, alice, bob } = await lab();
  await using _ = world;
  const key = await alice.keyOfShared(await alice.shareEncrypted(group, 'data.tar'));
  await alice.appoint(group, bob);
  await world.settle();
  const before = await alice.sees(group);
  await alice.reinit(group);
  await world.pass(HOUR / 2);
  const after = await agree(group, alice, bob);
  expect(after.mlsGroupId).not.toBe(before.mlsGroupId);
  expect(after.epoch).toBeLessThan(before.epoch);
  expect(await bob.fileKey('data.tar')).toBe(key);
  const held = await world.server('b.test').query('SELECT mls_group_id AS "mlsGroupId", instance FROM wrapped_key');
  expect(held).toEqual([{ mlsGroupId: after.mlsGroupId, instance: 2 }]);
});

test('R-180 when a user is removed whose server stays, its secrets for all shares of the group are exchanged, in one message, and again until it has them', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  const [bella] = await world.users('bella@b.test');
  await alice.add(group, bella);
  await alice.add(group, charlie);
  for (const name of ['one.txt', 'two.txt', 'three.txt']) await alice.share(group, name);
  const over = await alice.share(group, 'over.txt');
  await world.settle();
  const secrets = async (server: string) => {
    const rows = await world
      .server(server)
      .query<{ secret: Buffer }>(`SELECT secret FROM received_share WHERE ended_at IS NULL ORDER BY resource->>'name'`);
    return rows.map(({ secret }) => secret.toString('hex'));
  };
  const before = { b: await secrets('b.test'), c: await secrets('c.test') };
  world.wire(a, b).cut();
  await alice.remove(group, bella);
  await world.settle();
  await alice.unshare(over);
  // Another epoch passes before any of it arrives.
  await alice.appoint(group, bob);
  world.wire(a, b).mend();
  await world.pass(HOUR);
  const after = await secrets('b.test');
  expect(after).toHaveLength(3);
  expect(after.filter((secret) => before.b.includes(secret))).toEqual([]);
  expect(await secrets('c.test')).toEqual(before.c.slice(0, 1).concat(before.c.slice(2)));
  for (const name of ['one.txt', 'two.txt', 'three.txt']) expect(await bob.open(name)).toHaveProperty('access_token');
  const told = world.network.sent({ from: a, to: b, what: 'MLS_APPLICATION' });
  expect(told.filter(({ outcome }) => outcome === 201)).toHaveLength(1);
  expect(await world.server('a.test').query('SELECT 1 FROM credential_renewal')).toEqual([]);
  // Who takes its whole server along loses the shares instead.
  await alice.remove(group, charlie);
  await world.settle();
  expect(world.network.sent({ from: a, to: c, what: 'MLS_APPLICATION' })).toEqual([]);
});

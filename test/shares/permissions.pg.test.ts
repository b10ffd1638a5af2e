import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { tell } from '../federation/forgery.js';
import { audited } from '../federation/audited.js';
import { World } from '../support/world.js';

async function lab() {
  const world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie, adam] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test', 'adam@a.test');
  const group = await alice.createGroup('lab', [bob, charlie, adam]);
  return { world, group, alice, bob, charlie, adam };
}

const rights = async (who: Awaited<ReturnType<typeof lab>>['bob'], name: string) =>
  (await who.receives()).find((share) => share.name === name)?.protocol.webdav.permissions;

const aboutFile = (notificationType: string, senderDomain: string, file: object, changes: object = {}) => ({
  notificationType,
  senderDomain,
  resourceType: 'file',
  shareType: 'federation',
  notification: { file },
  ...changes,
});

test('R-188 R-205 the rights of a share change for all members alike, on the server of the sender too', async () => {
  const { world, group, alice, bob, charlie, adam } = await lab();
  await using _ = world;
  const share = await alice.shareEncrypted(group, 'data.bin');
  await world.settle();
  const [received] = await bob.receives();
  const write = () =>
    world
      .server('b.test')
      .bytes(`/received-shares/${received!.id}/content/encrypt?user=${bob.address}`, Buffer.from('x'));
  expect((await write()).status).toBe(403);
  // Of two changes in a row the last one is told.
  world.wire('a.test', 'c.test').cut();
  await alice.changePermissions(share, ['read', 'write', 'share']);
  await world.settle();
  await alice.changePermissions(share, ['write', 'read']);
  await world.settle();
  world.wire('a.test', 'c.test').mend();
  await world.pass(3_600_000);
  for (const who of [alice, bob, charlie, adam]) expect(await rights(who, 'data.bin')).toEqual(['write', 'read']);
  const told = world.network.sent({ to: host('c.test'), what: 'SHARE_CHANGE_PERMISSION', outcome: 201 });
  expect(told).toHaveLength(1);
  expect((await write()).status).toBe(200);
  const grants = await world.server('a.test').query<{ data: object }>('SELECT data FROM token_grant');
  for (const { data } of grants) expect(data).toMatchObject({ permissions: ['write', 'read'] });
  // The same rights in another order are no change.
  const { length } = world.network.exchanges;
  await alice.changePermissions(share, ['read', 'write']);
  await world.settle();
  expect(world.network.exchanges).toHaveLength(length);
  await alice.unshare(share);
  await expect(alice.changePermissions(share, ['read'])).rejects.toThrow('share.over');
  await expect(alice.changePermissions({ id: '00000000-0000-4000-8000-000000000000' }, ['read'])).rejects.toThrow(
    'share.unknown',
  );
  await expect(alice.changePermissions(share, [])).rejects.toThrow('body.malformed');
});

test('what was not announced yet is announced with the rights of now; what was is told after that', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  world.wire('a.test', 'b.test').cut();
  const share = await alice.share(group, 'data.csv');
  await alice.changePermissions(share, ['read', 'write']);
  await world.settle();
  expect(await rights(charlie, 'data.csv')).toEqual(['read', 'write']);
  await alice.changePermissions(share, ['read']);
  world.wire('a.test', 'b.test').mend();
  await world.pass(3_600_000);
  expect(await rights(charlie, 'data.csv')).toEqual(['read']);
  expect(await rights(bob, 'data.csv')).toEqual(['read']);
});

test('nobody but the server of the sender changes rights, and nothing that is no right', async () => {
  const { world, group, alice, bob } = await lab();
  await using _ = world;
  await alice.share(group, 'data.csv');
  await world.settle();
  const { providerId } = (await bob.receives())[0]!;
  const change = (from: string, file: object, changes: object = {}) =>
    tell(world, from, 'b.test', aboutFile('SHARE_CHANGE_PERMISSION', from, file, changes));
  const wish = { providerId, permissions: ['read', 'write'] };
  expect(await change('c.test', wish)).toMatchObject({ status: 404 });
  expect(await change('a.test', { ...wish, providerId: 'another' })).toMatchObject({ status: 404 });
  expect(await change('a.test', wish, { resourceType: 'folder' })).toMatchObject({ status: 404 });
  expect(await change('a.test', wish, { shareType: 'user' })).toMatchObject({ status: 404 });
  for (const permissions of [undefined, [], ['own'], 'read']) {
    expect(await change('a.test', { providerId, permissions })).toMatchObject({ status: 400 });
  }
  expect(await rights(bob, 'data.csv')).toEqual(['read']);
  expect(await change('a.test', wish)).toMatchObject({ status: 201 });
  expect(await rights(bob, 'data.csv')).toEqual(['read', 'write']);
});

test('who asks for somebody else to be given a share is told that members are added to the group', async () => {
  const { world, group, alice, bob } = await lab();
  await using _ = world;
  await alice.share(group, 'data.csv', { permissions: ['read', 'share'] });
  await world.settle();
  const { providerId } = (await bob.receives())[0]!;
  const ask = (from: string, file: object, changes: object = {}) =>
    tell(world, from, 'a.test', aboutFile('REQUEST_RESHARE', from, file, changes));
  const wish = { providerId, shareWith: 'dora@d.test', permissions: ['read'] };
  expect(await ask('b.test', wish)).toMatchObject({ status: 403, code: 'share.reshare-refused' });
  expect(await ask('c.test', wish)).toMatchObject({ status: 404 });
  expect(await ask('b.test', wish, { resourceType: 'folder' })).toMatchObject({ status: 404 });
  expect(await ask('b.test', { providerId })).toMatchObject({ status: 400 });
  const acts = (await audited(world, 'a.test')).filter(({ act }) => act === 'reshare.refused');
  expect(acts).toMatchObject([{ actor: 'b.test', subject: 'dora@d.test' }]);
});

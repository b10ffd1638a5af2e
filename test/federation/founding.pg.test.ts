import { expect, test } from 'vitest';
import { World } from '../support/world.js';
import { agree } from './agreement.js';

test('R-048 R-049 a group begins with its creator alone, on one server, and nobody is told', async () => {
  await using world = await World.of('a.test');
  const [alice] = await world.users('alice@a.test');
  const lab = await alice.createGroup('lab');
  await world.settle();
  expect(await alice.sees(lab)).toMatchObject({
    address: 'lab@a.test',
    epoch: 0,
    admins: ['alice@a.test'],
    ownerServer: 'a.test',
    members: [{ address: 'alice@a.test', leafIndex: 0 }],
  });
  expect(world.network.exchanges).toEqual([]);
  await expect(alice.createGroup('lab')).rejects.toThrow('group.address-taken');
  await expect(alice.createGroup('alice')).rejects.toThrow('group.address-taken');
});

test('R-032 three servers form a group, and each of them sees the same members in the same epoch', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob]);
  expect(await agree(lab, alice, bob)).toMatchObject({ epoch: 1 });
  await alice.add(lab, charlie);
  await world.settle();
  const { epoch, members } = await agree(lab, alice, bob, charlie);
  expect(epoch).toBe(2);
  expect(members.map(({ address }) => address)).toEqual(['alice@a.test', 'bob@b.test', 'charlie@c.test']);
});

test('R-105 R-106 what is added together costs one epoch, and each new user gets a Welcome of their own from the admin', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, anna, bob, bella] = await world.users('alice@a.test', 'anna@a.test', 'bob@b.test', 'bella@b.test');
  const lab = await alice.createGroup('lab', [anna, bob, bella]);
  expect(await agree(lab, alice, bob)).toMatchObject({ epoch: 1 });
  const welcomes = world.network.sent({ what: 'MLS_WELCOME' });
  expect(welcomes.map(({ from, to }) => [from, to])).toEqual([
    ['a.test', 'b.test'],
    ['a.test', 'b.test'],
  ]);
});

test('R-064 the last admin can neither leave, nor resign, nor be removed until another is appointed', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  await expect(alice.leave(lab)).rejects.toThrow('change.last-admin');
  await expect(alice.resign(lab)).rejects.toThrow('change.last-admin');
  await expect(bob.remove(lab, alice)).rejects.toThrow('change.last-admin');
  await alice.appoint(lab, bob);
  await world.settle();
  await alice.resign(lab);
  await world.settle();
  expect(await agree(lab, alice, bob)).toMatchObject({ admins: ['bob@b.test'] });
});

test('whom nobody knows cannot be added, and is told apart from a server that is down', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice] = await world.users('alice@a.test');
  const lab = await alice.createGroup('lab');
  const unknown = await alice.add(lab, 'nobody@b.test');
  const absent = await alice.add(lab, 'nobody@gone.test');
  await world.settle();
  expect(await alice.change(unknown)).toMatchObject({ state: 'refused', code: 'key-package.none' });
  expect(await alice.change(absent)).toMatchObject({ state: 'requested' });
  expect(await alice.sees(lab)).toMatchObject({ epoch: 0 });
});

test('the same request with the same Idempotency-Key asks once', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab');
  const ask = (address: string) => {
    const headers = { 'idempotency-key': 'key-1' };
    return world.server('a.test').api('POST', `/groups/${lab}/members`, { address, by: 'alice@a.test' }, headers);
  };
  const [one, two] = [await ask('bob@b.test'), await ask('bob@b.test')];
  expect(one.status).toBe(202);
  expect(two).toEqual(one);
  expect(await ask('eve@b.test')).toMatchObject({ status: 422, body: { code: 'idempotency.reused' } });
});

test('a server speaks for its own users only: neither groups nor changes in the name of others', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  const server = world.server('a.test');
  const refused = { status: 403, body: { code: 'change.not-local' } };
  expect(await server.api('POST', '/groups', { identifier: 'club', creator: bob.address })).toMatchObject(refused);
  expect(await server.api('POST', `/groups/${lab}/leave`, { member: bob.address })).toMatchObject(refused);
  expect(await server.api('POST', `/groups/${lab}/admins`, { address: bob.address, by: bob.address })).toMatchObject(
    refused,
  );
  await world.settle();
  expect(await agree(lab, alice, bob)).toMatchObject({ epoch: 1, admins: ['alice@a.test'] });
});

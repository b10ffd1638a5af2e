import { expect, test } from 'vitest';
import { IntrospectionService } from '../../src/tokens/introspection.service.js';
import type { Opening } from '../support/cast.js';
import { World } from '../support/world.js';
import { hours, labOfTwoAdmins, later } from './two-admins.js';

const MINUTES = 60_000;
const why = 'as was agreed';

test('what was given or begun before a server was refused comes to nothing: its tokens, and a member who waits there', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test', 'd.test');
  const [alice, bob, charlie, dave] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test', 'dave@d.test');
  const lab = await alice.createGroup('lab', [bob]);
  const a = world.server('a.test');
  await alice.share(lab, 'data.tar');
  await world.settle();
  const { access_token: token } = (await bob.open('data.tar')) as Opening;
  const isActive = async () =>
    (await a.get<IntrospectionService>(IntrospectionService).introspect('hub', token)).active;
  expect(await isActive()).toBe(true);
  const rule = (pattern: string) => ({ effect: 'deny', pattern, why });
  expect(await a.api('POST', '/trust/rules', rule('b.test'))).toMatchObject({ status: 204 });
  expect(await isActive()).toBe(false);
  expect(await a.api('POST', '/trust/rules/remove', rule('b.test'))).toMatchObject({ status: 204 });
  expect(await isActive()).toBe(true);

  const [refused, held] = [await alice.add(lab, charlie), await alice.add(lab, dave)];
  const preparing = a.turns.find(({ name }) => name === 'groups.preparing')!;
  while (await preparing.turn());
  expect(await alice.change(refused)).toMatchObject({ state: 'prepared' });
  expect(await a.api('POST', '/trust/rules', rule('c.test'))).toMatchObject({ status: 204 });
  expect(await a.api('POST', '/trust/providers/d.test/quarantine', { why })).toMatchObject({ status: 200 });
  await world.pass(10 * MINUTES);
  expect(await alice.change(refused)).toMatchObject({ state: 'refused', code: 'change.peer-refused' });
  expect(await alice.change(held)).toMatchObject({ state: 'prepared' });
  expect(await alice.members(lab)).toEqual(['alice@a.test', 'bob@b.test']);
  expect(await a.api('POST', '/trust/providers/d.test/release', { why })).toMatchObject({ status: 200 });
  await world.pass(60 * MINUTES);
  expect(await alice.members(lab)).toEqual(['alice@a.test', 'bob@b.test', 'dave@d.test']);
});

test('nobody takes a group over from an owner that they do not listen to themselves', async () => {
  const { world, lab, bob } = await labOfTwoAdmins(hours(37));
  await using _ = world;
  const act = (what: string) => world.server('b.test').api('POST', `/trust/providers/a.test/${what}`, { why });
  expect(await act('quarantine')).toMatchObject({ status: 200 });
  await world.kill('a.test');
  await later(world, 48);
  await later(world, 48);
  expect(await bob.sees(lab)).toMatchObject({ ownerServer: 'a.test' });
  expect(await act('release')).toMatchObject({ status: 200 });
  await later(world, 48);
  expect(await bob.sees(lab)).toMatchObject({ ownerServer: 'b.test' });
});

test('who refused a server and listens to it again asks for what it missed, and has the group as all others do', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob]);
  const b = world.server('b.test');
  const rule = { effect: 'deny', pattern: 'a.test', why };
  expect(await b.api('POST', '/trust/rules', rule)).toMatchObject({ status: 204 });
  await alice.add(lab, charlie);
  await alice.share(lab, 'meanwhile.tar');
  await world.pass(10 * MINUTES);
  expect(await charlie.members(lab)).toEqual(['alice@a.test', 'bob@b.test', 'charlie@c.test']);
  expect(await bob.members(lab)).toEqual(['alice@a.test', 'bob@b.test']);
  expect(await bob.open('meanwhile.tar')).toBe('nothing of that name');

  expect(await b.api('POST', '/trust/rules/remove', rule)).toMatchObject({ status: 204 });
  await alice.appoint(lab, charlie);
  await world.pass(10 * MINUTES);
  const sees = async (person: typeof bob) => {
    const { epoch, members, admins } = await person.sees(lab);
    return { epoch, members, admins };
  };
  expect(await sees(bob)).toEqual(await sees(alice));
  expect(await bob.members(lab)).toEqual(['alice@a.test', 'bob@b.test', 'charlie@c.test']);
  await alice.share(lab, 'afterwards.tar');
  await world.settle();
  expect(await bob.open('afterwards.tar')).toHaveProperty('access_token');
});

import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { keyPackageEntry } from '../../src/ocm/notification-body.js';
import { World } from '../support/world.js';
import { agree } from './agreement.js';
import { audited } from './audited.js';
import { labOfThree, lose, notice, tell } from './forgery.js';

/** Servers that nobody tells anything any more. */

const HOUR = 3_600_000;
const [a, b, c, d] = ['a.test', 'b.test', 'c.test', 'd.test'].map(host) as [never, never, never, never];
const REFUSED = '{"message":"FORBIDDEN"}';
const acts = async (world: World, server: string, act: string) =>
  (await audited(world, server)).filter((line) => line.act === act);
const LIVELY = { COVEY_UPDATE_INTERVAL: '28800', COVEY_UPDATE_DEADLINE: '864000', COVEY_TAKEOVER_TIME: '8640000' };

test('R-111 R-112 D-11 an unknown server speaks of Commits that were missed, and who is no admin any more gives them', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test', 'd.test');
  const [alice, charlie, bob, dora] = await world.users('alice@a.test', 'charlie@c.test', 'bob@b.test', 'dora@d.test');
  const lab = await alice.createGroup('lab', [charlie]);
  await world.settle();
  for (let lost = 0; lost < 3; lost++) world.wire(a, c).answerNext(403, 'MLS_COMMIT', REFUSED);
  await alice.add(lab, bob);
  await world.settle();
  await alice.appoint(lab, bob);
  await world.settle();
  await bob.dismiss(lab, alice);
  await world.settle();
  expect(await charlie.sees(lab)).toMatchObject({ epoch: 1, admins: ['alice@a.test'] });
  await bob.add(lab, dora);
  await world.settle();
  expect(world.network.sent({ from: b, to: c, what: 'MLS_COMMIT' }).at(-1)).toMatchObject({ outcome: 503 });
  await world.pass(HOUR / 6);
  await agree(lab, alice, bob, charlie, dora);
  expect(await acts(world, 'c.test', 'group.drifted')).toEqual([]);
});

test('R-111 R-112 Commits that the only known admin server has no more, since it left and came back, are had from a member server', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test', 'd.test');
  const [alice, bob, charlie, dora] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test', 'dora@d.test');
  const lab = await alice.createGroup('lab', [charlie, dora]);
  await world.settle();
  for (let lost = 0; lost < 3; lost++) world.wire(a, c).answerNext(403, 'MLS_COMMIT', REFUSED);
  await alice.add(lab, bob);
  await world.settle();
  await alice.appoint(lab, bob);
  await world.settle();
  await bob.remove(lab, alice);
  await world.settle();
  await bob.add(lab, alice);
  await world.settle();
  expect(await charlie.sees(lab)).toMatchObject({ epoch: 1, admins: ['alice@a.test'] });
  await world.pass(HOUR / 6);
  const questions = world.network.sent({ from: c, what: '/ocm/mls-commits' });
  expect(questions.map(({ to, outcome }) => [to, outcome])).toEqual([
    [a, 200],
    [d, 200],
  ]);
  await agree(lab, alice, bob, charlie, dora);
  expect(await acts(world, 'c.test', 'group.drifted')).toEqual([]);
});

test('R-112 R-128 whose Update nobody commits asks the admins after an hour, and learns that it was removed', async () => {
  await using world = await World.with({ 'a.test': {}, 'b.test': {}, 'c.test': LIVELY });
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  await world.settle();
  world.wire(a, c).answerNext(403, 'MLS_COMMIT', REFUSED);
  await alice.remove(lab, charlie);
  await world.settle();
  expect(await charlie.sees(lab)).toMatchObject({ state: 'active', epoch: 1 });
  await world.pass(8 * HOUR);
  const [proposed] = world.network.sent({ from: c, to: a, what: 'MLS_PROPOSAL' });
  const [asked] = world.network.sent({ from: c, to: a, what: '/ocm/mls-commits' });
  expect([proposed?.outcome, asked?.outcome]).toEqual([409, 200]);
  expect(await charlie.sees(lab)).toMatchObject({ state: 'left', epoch: 2 });
  expect(await world.server('c.test').query('SELECT 1 FROM mls_leaf')).toEqual([]);
  await agree(lab, alice, bob);
});

test('R-112 D-11 an admin server that lost the group itself takes nobody along', async () => {
  await using world = await World.with({ 'a.test': {}, 'b.test': {}, 'c.test': LIVELY });
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  await world.settle();
  await lose(world, 'a.test', (await alice.sees(lab)).mlsGroupId);
  await world.pass(30 * HOUR);
  expect(world.network.sent({ from: c, to: a, what: '/ocm/mls-commits' }).at(-1)).toMatchObject({ outcome: 409 });
  expect(await charlie.sees(lab)).toMatchObject({ state: 'active', epoch: 1 });
  expect(await bob.sees(lab)).toMatchObject({ state: 'active', epoch: 1 });
});

test('R-136 R-200 who was removed while it had lost the group hears so from all admins for a day, and then leaves', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await alice.appoint(lab, charlie);
  const share = await alice.share(lab, 'data.tar');
  await bob.share(lab, 'letter.txt');
  await world.settle();
  await lose(world, 'b.test', mlsGroupId);
  world.network.between(b, a).cut();
  await alice.remove(lab, bob);
  await world.settle();
  // One admin server says so, and the other one says nothing.
  await world.pass(48 * HOUR);
  expect(await bob.sees(lab)).toMatchObject({ state: 'drifted' });
  world.network.between(b, a).mend();
  await world.pass(24 * HOUR);
  expect(await bob.sees(lab)).toMatchObject({ state: 'left' });
  expect(await acts(world, 'b.test', 'group.removed')).toMatchObject([{ facts: { deniedBy: ['c.test', 'a.test'] } }]);
  expect(await bob.receives()).toEqual([]);
  expect((await charlie.receives()).map(({ id }) => id)).toHaveLength(1);
  expect(await world.server('b.test').query('SELECT 1 FROM group_drift')).toEqual([]);
  expect(share.id).toBeDefined();
  // And is as good a guest as any other afterwards.
  await alice.add(lab, bob);
  await world.settle();
  await agree(lab, alice, bob, charlie);
});

test('R-125 R-133 a lost server whose admin is none any more is told who is, and no stranger is', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await lose(world, 'b.test', mlsGroupId);
  for (const from of [a, c]) world.network.between(b, from).cut();
  await alice.appoint(lab, charlie);
  await world.settle();
  await alice.resign(lab);
  await world.settle();
  for (const from of [a, c]) world.network.between(b, from).mend();
  await world.pass(24 * HOUR);
  expect(world.network.sent({ from: b, to: a, what: 'MLS_REJOIN' }).at(-1)).toMatchObject({ outcome: 403 });
  await agree(lab, alice, bob, charlie);
  // Of a server without a member it says nothing but that.
  await charlie.remove(lab, bob);
  await world.settle();
  const keyPackages = [{ userId: bob.address, ...keyPackageEntry(new Uint8Array(1)) }];
  const asked = await tell(world, 'b.test', 'a.test', notice('MLS_REJOIN', 'b.test', { mlsGroupId, keyPackages }));
  expect(asked).toMatchObject({ status: 403, code: 'rejoin.not-member', members: [] });
  expect(asked).not.toHaveProperty('admins');
});

test('R-125 R-126 a member whose Welcome was refused has a leaf that nobody here has, and gets another one', async () => {
  await using world = await World.with({ 'a.test': {}, 'b.test': LIVELY });
  const [alice, bob, bella] = await world.users('alice@a.test', 'bob@b.test', 'bella@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  await world.settle();
  world.wire(a, b).answerNext(403, 'MLS_WELCOME', REFUSED);
  await alice.add(lab, bella);
  await world.settle();
  const leaves = () => world.server('b.test').query('SELECT address FROM mls_leaf ORDER BY 1');
  expect(await bob.members(lab)).toContain('bella@b.test');
  expect(await leaves()).toEqual([{ address: 'bob@b.test' }]);
  await world.pass(3 * HOUR);
  expect(world.network.sent({ from: b, what: 'MLS_REJOIN' })).toEqual([]);
  await world.pass(9 * HOUR);
  expect(await leaves()).toEqual([{ address: 'bella@b.test' }, { address: 'bob@b.test' }]);
  expect(world.network.sent({ from: b, what: 'MLS_REJOIN' })).toHaveLength(1);
  await agree(lab, alice, bob, bella);
  await bella.leave(lab);
  await world.settle();
  await agree(lab, alice, bob);
});

test('R-125 R-136 a server that lost the group, and asks for users who are no members, hears which of its users are', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const [bella] = await world.users('bella@b.test');
  world.wire(a, b).cut();
  await alice.remove(lab, bob);
  await alice.add(lab, bella);
  await world.settle();
  await lose(world, 'b.test', mlsGroupId);
  for (let lost = 0; lost < 2; lost++) world.wire(a, b).answerNext(403, 'MLS_COMMIT', REFUSED);
  world.wire(a, b).answerNext(403, 'MLS_WELCOME', REFUSED).mend();
  await world.pass(HOUR);
  const asked = world.network.sent({ from: b, to: a, what: 'MLS_REJOIN' });
  expect([asked[0]?.outcome, asked.at(-1)?.outcome]).toEqual([403, 201]);
  expect(await bella.sees(lab)).toMatchObject({ state: 'active' });
  await agree(lab, alice, bella, charlie);
});

test('R-125 R-126 a server whose only member was replaced by another one, whose Welcome was refused, gets a leaf', async () => {
  await using world = await World.with({ 'a.test': {}, 'b.test': LIVELY, 'c.test': {} });
  const [alice, bob, bella, charlie] = await world.users(
    'alice@a.test',
    'bob@b.test',
    'bella@b.test',
    'charlie@c.test',
  );
  const lab = await alice.createGroup('lab', [bob, charlie]);
  await world.settle();
  world.wire(a, b).answerNext(403, 'MLS_WELCOME', REFUSED);
  // One Commit does both.
  await alice.add(lab, bella);
  await alice.remove(lab, bob);
  await world.settle();
  expect(await alice.sees(lab)).toMatchObject({ epoch: 2 });
  await alice.appoint(lab, charlie);
  await world.pass(12 * HOUR);
  await agree(lab, alice, bella, charlie);
  expect(await world.server('b.test').query('SELECT 1 FROM early_mail')).toEqual([]);
});

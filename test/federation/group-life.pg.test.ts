import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { World } from '../support/world.js';
import { agree, federationOf } from './agreement.js';

test('R-005 a whole life of a group takes notifications of MLS and KeyPackages, and nothing else', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  await alice.appoint(lab, bob);
  await world.settle();
  await bob.remove(lab, charlie);
  await world.settle();
  await alice.resign(lab);
  await world.settle();
  await alice.leave(lab);
  await world.settle();
  expect(await bob.sees(lab)).toMatchObject({ state: 'active', members: [{ address: 'bob@b.test' }] });
  const paths = ['/.well-known/ocm', '/ocm/jwks', '/ocm/mls-key-packages'];
  const others = world.network.exchanges.map(({ what }) => what.split('?')[0]!).filter((what) => !paths.includes(what));
  expect([...new Set(others)].sort()).toEqual(['MLS_COMMIT', 'MLS_PROPOSAL', 'MLS_WELCOME']);
});

test('R-059 R-060 R-013 a member leaves by itself: its server proposes, an admin commits without being asked', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  await alice.appoint(lab, bob);
  await world.settle();
  const change = await charlie.leave(lab);
  await world.settle();
  expect(await charlie.change(change)).toMatchObject({ state: 'done' });
  expect(await alice.members(lab)).toEqual(['alice@a.test', 'bob@b.test']);
  await agree(lab, alice, bob);
  const proposals = world.network.sent({ what: 'MLS_PROPOSAL' });
  expect(proposals.map(({ from, to }) => `${from} ${to}`).sort()).toEqual(['c.test a.test', 'c.test b.test']);
});

test('R-006 R-049 the address stays when its own server has left, and nothing is sent there any more', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob]);
  await alice.appoint(lab, bob);
  await world.settle();
  await alice.leave(lab);
  await world.pass(15 * 60_000);
  const before = world.network.exchanges.length;
  await bob.add(lab, charlie);
  await world.settle();
  await bob.appoint(lab, charlie);
  await world.settle();
  expect(await agree(lab, bob, charlie)).toMatchObject({ address: 'lab@a.test', ownerServer: 'b.test' });
  const after = world.network.exchanges.slice(before);
  expect(after.length).toBeGreaterThan(0);
  expect(after.filter(({ to }) => to === 'a.test')).toEqual([]);
});

test('R-066 R-072 when the first admin resigns the next one owns the group, and arbitrates from then on', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob]);
  await alice.appoint(lab, bob);
  await world.settle();
  expect(await agree(lab, alice, bob)).toMatchObject({ admins: ['alice@a.test', 'bob@b.test'], ownerServer: 'a.test' });
  await alice.resign(lab);
  await world.settle();
  expect(await agree(lab, alice, bob)).toMatchObject({ admins: ['bob@b.test'], ownerServer: 'b.test' });
  await bob.add(lab, charlie);
  await world.settle();
  const { members } = await agree(lab, alice, bob, charlie);
  expect(members).toHaveLength(3);
  expect(await alice.remove(lab, charlie)).toMatchObject({ state: 'proposed' });
});

test('R-053 R-015 R-027 R-105 R-218 an admin of another server has the owner server arbitrate, and speaks for itself in all else', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test', 'd.test');
  const [alice, bob, charlie, dora] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test', 'dora@d.test');
  const lab = await alice.createGroup('lab', [bob, dora]);
  await alice.appoint(lab, bob);
  await world.settle();
  const before = world.network.exchanges.length;
  world.wire('b.test', 'a.test').cut();
  const change = await bob.add(lab, charlie);
  await world.settle();
  // No Welcome before the owner server has accepted the Commit.
  expect(world.network.sent({ what: 'MLS_WELCOME', to: host('c.test') })).toEqual([]);
  world.wire('b.test', 'a.test').mend();
  await world.pass(3_600_000);
  expect(await bob.change(change)).toMatchObject({ state: 'done' });
  await agree(lab, alice, bob, charlie, dora);
  const commits = world.network.exchanges
    .slice(before)
    .filter(({ what, outcome }) => what === 'MLS_COMMIT' && outcome === 201);
  expect(commits.map(({ from, to }) => `${from} ${to}`).sort()).toEqual([
    'a.test b.test',
    'a.test d.test',
    'b.test a.test',
  ]);
  // Nobody but the server of the admin asks for the KeyPackage.
  const asked = world.network.exchanges.slice(before).filter(({ what }) => what === '/ocm/mls-key-packages');
  expect(asked.map(({ from, to }) => `${from} ${to}`)).toEqual(['b.test c.test']);
  // The Welcome comes from the admin who made the Commit, not from the owner.
  expect(world.network.sent({ what: 'MLS_WELCOME', to: host('c.test') }).map(({ from }) => from)).toEqual(['b.test']);
});

test('R-020 of two admins at once one wins, and the other makes the Commit anew', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test', 'd.test');
  const [alice, bob, charlie, dora] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test', 'dora@d.test');
  const lab = await alice.createGroup('lab', [bob]);
  await alice.appoint(lab, bob);
  await world.settle();
  const { epoch } = await agree(lab, alice, bob);
  // Bob's Commit is on its way while Alice's is accepted; hers is heard of only after his has come.
  world.wire('b.test', 'a.test').loseNextRequest('MLS_COMMIT');
  for (let lost = 0; lost < 3; lost++) world.wire('a.test', 'b.test').loseNextRequest('MLS_COMMIT');
  const [first, second] = [await alice.add(lab, dora), await bob.add(lab, charlie)];
  await world.pass(10 * 60_000);
  expect(await alice.change(first)).toMatchObject({ state: 'done' });
  expect(await bob.change(second)).toMatchObject({ state: 'done' });
  expect(await agree(lab, alice, bob, charlie, dora)).toMatchObject({ epoch: epoch + 2 });
  expect(
    world.network.sent({ what: 'MLS_COMMIT', from: host('b.test'), to: host('a.test'), outcome: 409 }).length,
  ).toBeGreaterThan(0);
});

test('a user of a member server who is added later joins the state that is there already', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob, bella] = await world.users('alice@a.test', 'bob@b.test', 'bella@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  await alice.add(lab, bella);
  await world.settle();
  await agree(lab, alice, bob, bella);
  await alice.remove(lab, bob);
  await world.settle();
  expect(await agree(lab, alice, bella)).toMatchObject({ epoch: 3 });
});

test('who left and is added again is a member again, on the same server and in the same group', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  await alice.remove(lab, bob);
  await world.settle();
  expect(await bob.sees(lab)).toMatchObject({ state: 'left' });
  await alice.add(lab, bob);
  await world.settle();
  expect(await bob.sees(lab)).toMatchObject({ state: 'active', epoch: 3 });
  await agree(lab, alice, bob);
});

test('R-004 R-200 a removed member is gone everywhere at once, and no other notification is needed', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  const before = world.network.exchanges.length;
  await alice.remove(lab, charlie);
  await world.settle();
  expect(await agree(lab, alice, bob)).toMatchObject({ epoch: 2 });
  expect(await bob.members(lab)).toEqual(['alice@a.test', 'bob@b.test']);
  expect(await charlie.sees(lab)).toMatchObject({ state: 'left', members: [] });
  const sent = world.network.exchanges.slice(before).filter(({ request }) => request.method === 'POST');
  expect(new Set(sent.map(({ what }) => what))).toEqual(new Set(['MLS_COMMIT']));
});

test('R-103 R-110 R-116 a proposal is seen by other servers only with the Commit, verbatim', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  const before = world.network.exchanges.length;
  await charlie.leave(lab);
  await world.settle();
  const [proposal, ...rest] = world.network.exchanges.slice(before).filter(({ what }) => what === 'MLS_PROPOSAL');
  expect(rest).toEqual([]);
  expect([proposal!.from, proposal!.to]).toEqual(['c.test', 'a.test']);
  const commits = world.network.exchanges.slice(before).filter(({ what }) => what === 'MLS_COMMIT');
  for (const commit of commits) expect(federationOf(commit)['proposals']).toEqual([federationOf(proposal!)['content']]);
  expect(commits.map(({ to }) => to).sort()).toEqual(['b.test', 'c.test']);
});

test('R-067 R-065 an admin who leaves is removed by another admin, and loses the role in the same Commit', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  await alice.appoint(lab, bob);
  await world.settle();
  const { epoch } = await agree(lab, alice, bob);
  await alice.leave(lab);
  // The server of the next admin leaves a while to those before it.
  await world.pass(15 * 60_000);
  expect(await bob.sees(lab)).toMatchObject({ epoch: epoch + 1, admins: ['bob@b.test'], ownerServer: 'b.test' });
  expect(await bob.members(lab)).toEqual(['bob@b.test']);
  expect(await alice.sees(lab)).toMatchObject({ state: 'left' });
});

import { createProposal } from 'ts-mls';
import { signWithLabel } from 'ts-mls/crypto/signature.js';
import { encodeLeafNodeTBS } from 'ts-mls/leafNode.js';
import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { toBase64url } from '../../src/kernel/bytes.js';
import { writeMessage } from '../../src/mls/mls-message.js';
import { successorOf } from '../../src/mls/successor-leaf.js';
import type { Environment } from '../support/environment.js';
import { World } from '../support/world.js';
import { agree, federationOf } from './agreement.js';
import { labOfThree, notice, stateOn, tell } from './forgery.js';

const [a, b] = ['a.test', 'b.test'].map(host) as [never, never];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIVELY: Environment = {
  COVEY_UPDATE_INTERVAL: '28800',
  COVEY_UPDATE_DEADLINE: '86400',
  COVEY_TAKEOVER_TIME: '129600',
};

/** Ten members on three servers; alice of a.test is the admin. */
async function labOfTen() {
  const world = await World.with({ 'a.test': LIVELY, 'b.test': LIVELY, 'c.test': LIVELY });
  const people = await world.users(
    ...(['alice@a.test', 'anna@a.test', 'adam@a.test', 'bob@b.test', 'bella@b.test', 'ben@b.test'] as const),
    ...(['bill@b.test', 'charlie@c.test', 'carla@c.test', 'chris@c.test'] as const),
  );
  const [alice, , , bob, , , , charlie] = people;
  const lab = await alice.createGroup('lab', people.slice(1));
  return { world, lab, alice, bob, charlie, people };
}

/** All at once, and not hour by hour. */
async function later(world: World, hours: number): Promise<void> {
  world.clock.advanceHours(hours);
  await world.settle();
}

/** How long ago each leaf was renewed, as a server sees it, the oldest first. */
async function ages(world: World, server: string): Promise<number[]> {
  const rows = await world.server(server).query<{ at: Date }>('SELECT updated_at AS at FROM group_member ORDER BY 1');
  return rows.map(({ at }) => world.clock.now().getTime() - at.getTime());
}

test('R-062 R-128 new members are renewed soon, all ten in one epoch, by reference, the committer by the UpdatePath', async () => {
  const { world, lab, alice, bob, charlie } = await labOfTen();
  await using _ = world;
  expect((await alice.sees(lab)).epoch).toBe(1);
  await world.pass(25 * MINUTE);
  expect((await alice.sees(lab)).epoch).toBe(1);
  await world.pass(45 * MINUTE);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 2 });
  for (const server of ['a.test', 'b.test', 'c.test']) expect((await ages(world, server))[0]).toBeLessThan(45 * MINUTE);
  // to the home server of every admin, and to nobody else.
  const proposals = world.network.sent({ what: 'MLS_PROPOSAL' });
  expect(proposals.map(({ from, to }) => `${from} ${to}`).sort()).toEqual([
    ...Array<string>(4).fill('b.test a.test'),
    ...Array<string>(3).fill('c.test a.test'),
  ]);
  // verbatim.
  const sent = proposals.map((proposal) => federationOf(proposal)['content']);
  const commits = world.network.sent({ from: a, to: b, what: 'MLS_COMMIT' });
  const carried = federationOf(commits.at(-1)!)['proposals'] as string[];
  expect(carried).toHaveLength(9);
  expect(carried).toEqual(expect.arrayContaining(sent));
});

test('R-128 from then on no leaf grows older than the interval, at a few epochs for all of them', async () => {
  const { world, lab, alice, bob, charlie, people } = await labOfTen();
  await using _ = world;
  await world.pass(70 * MINUTE);
  const { epoch } = await alice.sees(lab);
  for (let hour = 0; hour < 12; hour++) {
    await world.pass(HOUR);
    expect((await ages(world, 'c.test'))[0]).toBeLessThan(8 * HOUR + 5 * MINUTE);
  }
  const { epoch: after } = await agree(lab, alice, bob, charlie);
  expect(after - epoch).toBeGreaterThan(1);
  expect(after - epoch).toBeLessThanOrEqual(15);
  // Everybody can still be reached, and can still send.
  await alice.remove(lab, people[1]);
  await charlie.leave(lab);
  await world.settle();
  expect((await agree(lab, alice, bob, people[8])).members).toHaveLength(8);
});

test('D-13 an Update that did not come in time is proposed again in the next epoch, until it is covered', async () => {
  const { world, lab, alice, bob, charlie } = await labOfTen();
  await using _ = world;
  world.wire('b.test', 'a.test').cut();
  await world.pass(70 * MINUTE);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 2 });
  expect((await ages(world, 'a.test')).filter((age) => age > HOUR)).toHaveLength(4);
  world.wire('b.test', 'a.test').mend();
  await world.pass(HOUR);
  const refused = world.network.sent({ from: b, what: 'MLS_PROPOSAL', outcome: 409 });
  expect(refused).toHaveLength(4);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 3 });
  expect((await ages(world, 'a.test')).filter((age) => age > 130 * MINUTE)).toHaveLength(0);
});

test('R-062 what is committed for another reason takes the Updates that wait along', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const { state, suite } = await stateOn(world, 'b.test', mlsGroupId, bob.address);
  const { leafNode } = await successorOf(state, suite);
  const { message } = await createProposal(state, true, { proposalType: 'update', update: { leafNode } }, suite);
  const content = toBase64url(writeMessage(message));
  const update = notice('MLS_PROPOSAL', 'b.test', { mlsGroupId, content });
  expect(await tell(world, 'b.test', 'a.test', update)).toMatchObject({ status: 201 });
  await world.settle();
  expect((await alice.sees(lab)).epoch).toBe(1);
  await charlie.leave(lab);
  await world.settle();
  // Bob's own server knows nothing of the key that was forged for him: it has to be taken in again.
  expect((await alice.sees(lab)).epoch).toBe(3);
  const [commit] = world.network.sent({ from: a, to: b, what: 'MLS_COMMIT' });
  expect(federationOf(commit!)['proposals']).toHaveLength(2);
  expect(federationOf(commit!)['proposals']).toContain(content);
});

test('two Updates with one key, which no Commit may cover both, hold up nobody', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const bobs = await stateOn(world, 'b.test', mlsGroupId, bob.address);
  const { leafNode } = await successorOf(bobs.state, bobs.suite);
  for (const [server, person] of [
    ['b.test', bob],
    ['c.test', charlie],
  ] as const) {
    const { state, suite } = await stateOn(world, server, mlsGroupId, person.address);
    const own = (await successorOf(state, suite)).leafNode;
    const leaf = { ...own, hpkePublicKey: leafNode.hpkePublicKey };
    const place = { groupId: state.groupContext.groupId, leafIndex: state.privatePath.leafIndex };
    const signed = encodeLeafNodeTBS({ ...leaf, ...place });
    const signature = await signWithLabel(state.signaturePrivateKey, 'LeafNodeTBS', signed, suite.signature);
    const update = { leafNode: { ...leaf, signature } };
    const { message } = await createProposal(state, true, { proposalType: 'update', update }, suite);
    const body = notice('MLS_PROPOSAL', server, { mlsGroupId, content: toBase64url(writeMessage(message)) });
    expect(await tell(world, server, 'a.test', body)).toMatchObject({ status: 201 });
  }
  await world.pass(HOUR);
  const commits = world.network.sent({ from: a, what: 'MLS_COMMIT' }).map((commit) => federationOf(commit));
  const carried = new Map(commits.map(({ content, proposals }) => [content, proposals]));
  expect([...carried.values()]).toMatchObject([[expect.any(String)], undefined]);
  // Whose key was forged is taken in again.
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 3 });
});

test('R-130 R-131 a stale admin is put before the other admins: renewed in time it is asked no more, approved it goes', async () => {
  await using world = await World.with({ 'a.test': LIVELY, 'b.test': LIVELY });
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  await alice.appoint(lab, bob);
  await world.settle();
  const evictions = (state: 'open' | 'lapsed') => alice.approvals(state);

  await world.kill('b.test');
  await later(world, 23);
  expect(await evictions('open')).toEqual([]);
  await later(world, 3);
  const asked = [{ kind: 'evict', subject: bob.address, proposer: null, effect: { leaves: [bob.address] } }];
  expect(await evictions('open')).toMatchObject(asked);

  await world.restart('b.test');
  await world.pass(10 * MINUTE);
  expect(await evictions('open')).toEqual([]);
  expect(await evictions('lapsed')).toMatchObject([{ kind: 'evict', subject: bob.address }]);

  await world.kill('b.test');
  await later(world, 26);
  const [again] = await evictions('open');
  await alice.approve(again!);
  await world.settle();
  expect(await alice.sees(lab)).toMatchObject({ admins: [alice.address], members: [{ address: alice.address }] });
});

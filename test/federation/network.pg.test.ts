import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { World } from '../support/world.js';
import { agree, federationOf } from './agreement.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;

const [a, b, c] = [host('a.test'), host('b.test'), host('c.test')];

async function labOfThree() {
  const world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  return { world, lab, alice, bob, charlie };
}

/** Charlie is an admin too, and from now on b.test, where Bea waits to be added, hears nothing of the owner server. */
async function labOutOfSight() {
  const scene = await labOfThree();
  const { world, lab, alice, charlie } = scene;
  const [bea] = await world.users('bea@b.test');
  await alice.appoint(lab, charlie);
  await world.settle();
  world.wire(a, b).cut();
  return { ...scene, bea };
}

test('a request that is lost is sent again, and the story ends the same', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  world.wire(a, b).loseNextRequest('MLS_COMMIT').loseNextRequest('MLS_COMMIT');
  await alice.appoint(lab, bob);
  await world.pass(HOUR);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 2, admins: ['alice@a.test', 'bob@b.test'] });
});

test('when an answer is lost the very same bytes are sent again, answered as the first time, and change nothing', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  world.wire(a, b).loseNextResponse('MLS_COMMIT');
  await alice.appoint(lab, bob);
  await world.pass(HOUR);
  const sent = world.network.sent({ from: a, to: b, what: 'MLS_COMMIT' });
  expect(sent.map(({ outcome }) => outcome)).toEqual(['peer.timeout', 201]);
  expect(sent.map(({ answer }) => answer?.status)).toEqual([201, 201]);
  expect(sent[1]!.request.body).toEqual(sent[0]!.request.body);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 2 });
});

test('when the answer to a Welcome is lost the user joins once', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  world.wire(a, b).loseNextResponse('MLS_WELCOME');
  const lab = await alice.createGroup('lab', [bob]);
  await world.pass(HOUR);
  expect(world.network.sent({ what: 'MLS_WELCOME' }).map(({ answer }) => answer?.status)).toEqual([201, 201]);
  expect(await agree(lab, alice, bob)).toMatchObject({ epoch: 1 });
});

test('when the answer to a submission is lost the broadcast tells the same', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await alice.appoint(lab, bob);
  await world.settle();
  world.wire(b, a).loseNextResponse('MLS_COMMIT');
  const change = await bob.remove(lab, charlie);
  await world.settle();
  expect(await bob.change(change)).toMatchObject({ state: 'done' });
  await world.pass(HOUR);
  expect(await agree(lab, alice, bob)).toMatchObject({ epoch: 3 });
});

test('what arrives twice is taken once', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  world.wire(a, b).duplicateNext('MLS_COMMIT').duplicateNext('MLS_COMMIT');
  world.wire(a, c).duplicateNext('MLS_COMMIT');
  await alice.appoint(lab, bob);
  await world.settle();
  await alice.appoint(lab, charlie);
  await world.pass(HOUR);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 3 });
});

test('a Welcome that comes before the Commit that removed our last member leads back into the group', async () => {
  const { world, lab, alice, bob, charlie, bea } = await labOutOfSight();
  await using _ = world;
  await alice.remove(lab, bob);
  await world.settle();
  await charlie.add(lab, bea);
  await world.pass(MINUTE);
  const [welcome] = world.network.sent({ from: c, to: b, what: 'MLS_WELCOME' });
  expect(welcome!.answer!.status).toBe(202);
  world.wire(a, b).mend();
  await world.pass(HOUR);
  expect(await agree(lab, alice, bea, charlie)).toMatchObject({ epoch: 4, state: 'active' });
});

test('a Welcome that came early is kept, however long its Commit takes', async () => {
  const { world, lab, alice, bob, charlie, bea } = await labOutOfSight();
  await using _ = world;
  await alice.appoint(lab, bob);
  await world.settle();
  await charlie.add(lab, bea);
  await world.settle();
  expect(world.network.sent({ from: c, to: b, what: 'MLS_WELCOME' })[0]!.answer!.status).toBe(202);
  // Nobody can be asked for what is missed.
  world.wire(b, a).cut();
  world.wire(b, c).cut();
  await world.pass(3 * DAY);
  for (const wire of [world.wire(a, b), world.wire(b, a), world.wire(b, c)]) wire.mend();
  await world.pass(DAY);
  expect(await agree(lab, alice, bob, bea, charlie)).toMatchObject({ epoch: 4 });
});

test('what arrives after what was sent later is known already, and harms nothing', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  // The first sending of the first Commit comes last: after its second sending, and after the second Commit.
  world.wire(a, b).delayNext(4 * MINUTE, 'MLS_COMMIT');
  await alice.appoint(lab, bob);
  await world.pass(MINUTE);
  await alice.appoint(lab, charlie);
  await world.pass(HOUR);
  const commits = world.network.sent({ from: a, to: b, what: 'MLS_COMMIT' });
  expect(commits.map(({ outcome }) => outcome)).toEqual(['peer.timeout', 201, 201]);
  expect(commits[0]).toMatchObject({ deliveries: 1, answer: { status: 201 } });
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({
    epoch: 3,
    admins: ['alice@a.test', 'bob@b.test', 'charlie@c.test'],
  });
});

test('what arrives after the request behind it is known already, and harms nothing', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  world.wire(a, b).reorderNext('MLS_COMMIT');
  await alice.appoint(lab, bob);
  await alice.appoint(lab, charlie);
  await world.pass(HOUR);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({
    admins: ['alice@a.test', 'bob@b.test', 'charlie@c.test'],
  });
});

test('R-112 a Commit of a later epoch is kept with 202 until the one before it is there', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await alice.appoint(lab, bob);
  await world.settle();
  // Alice resigns, and her server cannot tell Charlie's; Bob's, the new owner, can.
  world.wire(a, c).cut();
  await alice.resign(lab);
  await world.settle();
  await bob.appoint(lab, charlie);
  await world.settle();
  expect(world.network.sent({ from: b, to: c, what: 'MLS_COMMIT' }).map(({ outcome }) => outcome)).toEqual([202]);
  expect(await charlie.sees(lab)).toMatchObject({ epoch: 2 });
  world.wire(a, c).mend();
  await world.pass(HOUR);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 4, admins: ['bob@b.test', 'charlie@c.test'] });
});

test('a Welcome that comes before the Commit it belongs to waits for it', async () => {
  const { world, lab, alice, bob } = await labOfThree();
  await using _ = world;
  const [bella] = await world.users('bella@b.test');
  await alice.appoint(lab, bob);
  await world.settle();
  // Bob's own Commit adds Bella at home: nobody has to wait. Alice's Commit adds her while its broadcast is lost.
  world.wire(a, b).loseNextRequest('MLS_COMMIT');
  await alice.add(lab, bella);
  await world.pass(HOUR);
  expect(await bella.members(lab)).toContain('bella@b.test');
  await agree(lab, alice, bob, bella);
});

test('a server that was down for a day gets everything, in order, and nobody waited for it', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await world.kill(c);
  for (let round = 0; round < 3; round++) {
    await alice.appoint(lab, bob);
    await world.settle();
    await alice.dismiss(lab, bob);
    await world.settle();
    await agree(lab, alice, bob);
    await world.pass(8 * HOUR);
  }
  expect(await agree(lab, alice, bob)).toMatchObject({ epoch: 7 });
  await world.restart(c);
  await world.pass(2 * HOUR);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 7 });
  const arrived = world.network.sent({ to: c, what: 'MLS_COMMIT', outcome: 201 });
  expect(arrived).toHaveLength(6);
  expect(new Set(arrived.map((exchange) => federationOf(exchange)['content'])).size).toBe(6);
  expect(world.clock.now().getTime() - arrived[0]!.at.getTime()).toBeLessThan(DAY);
});

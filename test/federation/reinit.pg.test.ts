import { expect, test } from 'vitest';
import { MissedCommitsClient } from '../../src/groups/missed-commits.client.js';
import { host } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import type { Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { agree } from './agreement.js';
import { laboratory, work, successor } from './reinitialised.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test('who was let in again shortly before the ReInit joins the successor, though its Welcome comes first', async () => {
  await using scene = await laboratory();
  const { world, people, lab, before } = scene;
  const [alice, bob, charlie] = people;
  await alice.remove(lab, charlie);
  await world.settle();
  expect(await charlie.sees(lab)).toMatchObject({ state: 'left' });
  const again = world.wire('b.test', 'c.test');
  for (let times = 0; times < 4; times++) again.loseNextRequest('MLS_WELCOME');
  await bob.add(lab, charlie);
  await world.settle();
  await alice.reinit(lab);
  await world.pass(2 * HOUR);
  await successor(lab, before, alice, bob, charlie);
  const [first] = world.network.sent({ to: host('c.test'), what: 'MLS_WELCOME', outcome: 503 });
  expect(first).toBeDefined();
});

test('who comes beside another user of the server joins the successor too, though that Welcome comes first', async () => {
  await using scene = await laboratory();
  const { world, people, lab, before } = scene;
  const [alice, bob, charlie] = people;
  const [cecil] = await world.users('cecil@c.test');
  const late = world.wire('b.test', 'c.test');
  for (let times = 0; times < 4; times++) late.loseNextRequest('MLS_WELCOME');
  await bob.add(lab, cecil);
  await world.settle();
  await alice.reinit(lab);
  await world.pass(2 * HOUR);
  await successor(lab, before, alice, bob, charlie, cecil);
  const [first] = world.network.sent({ to: host('c.test'), what: 'MLS_WELCOME', outcome: 503 });
  expect(Buffer.from(first!.answer!.body).toString()).toContain('welcome.early');
});

test('R-109 who left before the ReInit may be invited into the successor, by an admin of then and by nobody else', async () => {
  await using scene = await laboratory();
  const { world, people, lab, before } = scene;
  const [alice, bob, charlie] = people;
  await alice.remove(lab, charlie);
  await alice.reinit(lab);
  await world.pass(10 * MINUTE);
  await successor(lab, before, alice, bob);
  await world.add('d.test');
  const [dora] = await world.users('dora@d.test');
  await alice.add(lab, dora);
  await world.settle();
  await alice.appoint(lab, dora);
  await world.settle();
  const asked = await dora.add(lab, charlie);
  await world.pass(HOUR);
  expect(await dora.change(asked)).toMatchObject({ state: 'done' });
  expect(await charlie.sees(lab)).toMatchObject({ state: 'left', mlsGroupId: before.mlsGroupId });
  expect(world.network.sent({ to: host('c.test'), what: 'MLS_WELCOME' }).at(-1)).toMatchObject({ outcome: 409 });

  await alice.remove(lab, charlie);
  await world.pass(HOUR);
  await bob.add(lab, charlie);
  await world.pass(HOUR);
  expect((await agree(lab, alice, bob, charlie, dora)).mlsGroupId).not.toBe(before.mlsGroupId);
});

test('D-11 R-152 who missed how a group ended can fetch that from the servers that went on to its successor', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  await world.settle();
  const before = await alice.sees(lab);
  await alice.reinit(lab);
  await world.pass(2 * HOUR);
  expect((await agree(lab, alice, bob, charlie)).mlsGroupId).not.toBe(before.mlsGroupId);
  const fetch = (from: string) =>
    world
      .server(from)
      .get(MissedCommitsClient)
      .since(host('a.test'), before.mlsGroupId as MlsGroupId, epoch(before.epoch));
  const missed = await fetch('c.test');
  expect(missed).toMatchObject({ epoch: before.epoch + 1 });
  expect(missed!.commits).toHaveLength(1);
  await world.add('x.test');
  expect(await fetch('x.test')).toBeUndefined();
});

test('R-148 R-144 the server of the next admin makes the successor when the first one died half-way', async () => {
  await using scene = await laboratory('dave@d.test');
  const { world, people, lab, before } = scene;
  const [alice, bob, charlie, dave] = people as readonly [Person, Person, Person, Person];
  await alice.reinit(lab);
  await work(world, 'a.test', 'groups.reinitialising', 'groups.committing', 'outbox.courier');
  await work(world, 'b.test', 'groups.reinitialising');
  await world.kill('a.test');
  expect(await agree(lab, bob, charlie, dave)).toMatchObject({ state: 'suspended', epoch: before.epoch + 1 });
  // Meanwhile nothing is sent in the old group, and what is asked for waits.
  const wish = await bob.remove(lab, charlie);
  await world.pass(HOUR / 2);
  expect(await bob.change(wish)).toMatchObject({ state: 'prepared' });
  expect(await bob.sees(lab)).toMatchObject({ state: 'suspended' });
  await world.pass(HOUR);
  expect(await bob.sees(lab)).toMatchObject({ state: 'active', admins: before.admins, epoch: 1 });

  // The Commit that bob's server owes waits for the owner server, which is back and has not made another successor.
  await world.restart('a.test');
  await world.pass(HOUR);
  const after = await agree(lab, alice, bob, dave);
  expect(after.members.find(({ leafIndex }) => leafIndex === 0)).toMatchObject({ address: 'bob@b.test' });
  expect(await bob.change(wish)).toMatchObject({ state: 'done', epoch: 2 });
  expect(await charlie.sees(lab)).toMatchObject({ state: 'left' });
});

test('R-149 what was asked in the successor that lost is done in the other; what was done before the ReInit stays as it was', async () => {
  await using scene = await laboratory();
  const { world, people, lab } = scene;
  const [alice, bob, charlie] = people;
  const long = await alice.appoint(lab, charlie);
  await world.settle();
  const { epoch: before } = await alice.change(long);
  const [cecil] = await world.users('cecil@c.test');
  await alice.reinit(lab);
  await work(world, 'a.test', 'groups.reinitialising', 'groups.committing', 'outbox.courier', 'groups.reinitialising');
  await work(world, 'b.test', 'groups.reinitialising');
  await world.kill('a.test');
  await world.pass(2 * HOUR);
  const asked = await bob.add(lab, cecil);
  await world.settle();
  expect(await bob.change(asked)).toMatchObject({ state: 'committing' });

  await world.restart('a.test');
  await world.pass(2 * HOUR);
  const picture = await agree(lab, alice, bob, charlie, cecil);
  expect(picture.members.find(({ leafIndex }) => leafIndex === 0)).toMatchObject({ address: 'alice@a.test' });
  expect(await bob.change(asked)).toMatchObject({ state: 'done', epoch: picture.epoch });
  expect(await alice.change(long)).toMatchObject({ state: 'done', epoch: before });
  expect((await alice.changes(lab)).map(({ kind }) => kind)).toEqual(expect.arrayContaining(['appoint', 'reinit']));
});

test('R-140 R-141 a member who is no admin asks for it, an admin approves, and then an admin commits it', async () => {
  await using scene = await laboratory();
  const { world, people, lab, before } = scene;
  const [alice, bob, charlie] = people;
  const asked = await charlie.reinit(lab);
  expect(asked).toMatchObject({ kind: 'reinit', state: 'proposed' });
  await world.pass(2 * HOUR);
  for (const person of people) expect(await person.sees(lab)).toMatchObject({ mlsGroupId: before.mlsGroupId });
  const [request] = await bob.approvals();
  expect(request).toMatchObject({ kind: 'reinit', subject: lab, proposer: 'charlie@c.test' });
  await bob.approve(request!);
  await world.pass(2 * HOUR);
  await successor(lab, before, alice, bob, charlie);
  expect(await charlie.change(asked)).toMatchObject({ state: 'done' });
  expect(await alice.approvals()).toEqual([]);
});

test('R-149 of two competing successors that of the admin listed earlier wins, though the other one was joined first', async () => {
  await using scene = await laboratory();
  const { world, people, lab, before } = scene;
  const [alice, bob, charlie] = people;
  const shared = await charlie.share(lab, 'data.tar');
  await alice.reinit(lab);
  await work(world, 'a.test', 'groups.reinitialising', 'groups.committing', 'outbox.courier', 'groups.reinitialising');
  await work(world, 'b.test', 'groups.reinitialising');
  await world.kill('a.test');
  await world.pass(2 * HOUR);
  const second = await successor(lab, before, bob, charlie);
  expect(second.members.find(({ leafIndex }) => leafIndex === 0)).toMatchObject({ address: 'bob@b.test' });

  await world.restart('a.test');
  await world.pass(2 * HOUR);
  const first = await successor(lab, before, alice, bob, charlie);
  expect(first.members.find(({ leafIndex }) => leafIndex === 0)).toMatchObject({ address: 'alice@a.test' });
  expect(
    world.network.sent({ what: 'MLS_WELCOME', from: host('b.test'), to: host('a.test'), outcome: 409 }),
  ).toHaveLength(1);
  expect(await charlie.shared(shared)).toMatchObject({ state: 'open' });
  expect(await bob.open('data.tar')).toMatchObject({ access_token: expect.any(String) });
  await bob.remove(lab, charlie);
  await world.settle();
  expect(await agree(lab, alice, bob)).toMatchObject({ epoch: 2 });
});

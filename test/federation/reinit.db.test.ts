import { expect, test } from 'vitest';
import type { Opening, Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { agree, federationOf } from './agreement.js';

const HOUR = 3_600_000;

/** Three servers; bob is an admin beside alice, and each has shared a file with the group. */
async function laboratory() {
  const world = await World.of('a.test', 'b.test', 'c.test');
  const people = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const [alice, bob] = people;
  const lab = await alice.createGroup('lab', people.slice(1));
  await alice.appoint(lab, bob);
  await world.settle();
  const before = await agree(lab, ...people);
  return { world, people, lab, before, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

async function successor(lab: string, old: { readonly mlsGroupId: string }, ...people: readonly Person[]) {
  const picture = await agree(lab, ...people);
  expect(picture).toMatchObject({ state: 'active', epoch: 1 });
  expect(picture.mlsGroupId).not.toBe(old.mlsGroupId);
  return picture;
}

test('R-146 R-152 a reinitialised group goes on under its address: members, admins, shares and tokens', async () => {
  await using scene = await laboratory();
  const { world, people, lab, before } = scene;
  const [alice, bob, charlie] = people;
  const shared = await charlie.share(lab, 'data.tar');
  await world.settle();
  const [received] = await bob.receives();
  const from = world.network.exchanges.length;

  const change = await alice.reinit(lab);
  await world.settle();
  expect(await alice.change(change)).toMatchObject({ state: 'done' });
  const after = await successor(lab, before, ...people);
  expect(after.admins).toEqual(before.admins);
  expect(await charlie.members(lab)).toEqual(['alice@a.test', 'bob@b.test', 'charlie@c.test']);

  // Nobody heard of the old group again, nor of the share, which everybody still has.
  const sent = world.network.exchanges.slice(from).filter(({ request }) => request.method === 'POST');
  const about = sent.map(({ what, to, ...rest }) => [what, to, federationOf(rest)['mlsGroupId'] === before.mlsGroupId]);
  expect(about.sort()).toEqual([
    ['MLS_COMMIT', 'b.test', true],
    ['MLS_COMMIT', 'c.test', true],
    ['MLS_WELCOME', 'b.test', false],
    ['MLS_WELCOME', 'c.test', false],
  ]);
  expect(await charlie.shared(shared)).toMatchObject({ state: 'open' });
  expect(await bob.openById(received!.id)).toMatchObject({ access_token: expect.any(String) });
  const { access_token: token } = (await alice.open('data.tar')) as Opening;
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { ocm_group: object };
  expect(claims.ocm_group).toMatchObject({ address: lab, epoch: 1 });

  // And the group lives on.
  await bob.remove(lab, charlie);
  await world.settle();
  expect(await agree(lab, alice, bob)).toMatchObject({ epoch: 2, ownerServer: 'a.test' });
  expect(await bob.open('data.tar')).toBe('nothing of that name');
});

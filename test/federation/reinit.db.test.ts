import { expect, test } from 'vitest';
import type { Opening } from '../support/cast.js';
import { World } from '../support/world.js';
import { agree, federationOf } from './agreement.js';
import { audited } from './audited.js';
import { laboratory, successor } from './reinitialised.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test('R-146 R-152 a reinitialised group goes on under its address: members, admins, shares and tokens', async () => {
  await using scene = await laboratory();
  const { world, people, lab, before } = scene;
  const [alice, bob, charlie] = people;
  const shared = await charlie.share(lab, 'data.tar');
  await world.settle();
  const [received] = await bob.receives();
  const from = world.network.exchanges.length;

  const change = await alice.reinit(lab);
  // A Welcome that overtakes the ReInit is answered with 503, and comes again.
  await world.pass(10 * MINUTE);
  expect(await alice.change(change)).toMatchObject({ state: 'done' });
  const after = await successor(lab, before, ...people);
  expect(after.admins).toEqual(before.admins);
  const [bound] = (await audited(world, 'c.test', lab)).filter(({ act }) => act === 'group.reinitialised');
  expect(bound).toMatchObject({ actor: alice.address, facts: { origin: before.mlsGroupId } });
  expect(await charlie.members(lab)).toEqual(['alice@a.test', 'bob@b.test', 'charlie@c.test']);

  // Nobody heard of the old group again, nor of the share, which everybody still has.
  const sent = world.network.exchanges
    .slice(from)
    .filter(({ request, outcome }) => request.method === 'POST' && outcome !== 503);
  const about = sent.map(({ what, to, ...rest }) => [what, to, federationOf(rest)['mlsGroupId'] === before.mlsGroupId]);
  expect(about.toSorted((one, other) => String(one).localeCompare(String(other)))).toEqual([
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

test('a group of one is reinitialised too', async () => {
  await using world = await World.of('a.test');
  const [alice] = await world.users('alice@a.test');
  const lab = await alice.createGroup('lab');
  const before = await alice.sees(lab);
  const change = await alice.reinit(lab);
  await world.settle();
  expect(await alice.change(change)).toMatchObject({ state: 'done' });
  expect((await successor(lab, before, alice)).members).toHaveLength(1);
});

test('R-154 R-155 the keys of the old group are kept for a day after its successor was joined', async () => {
  await using scene = await laboratory();
  const { world, people, lab, before } = scene;
  await people[0].reinit(lab);
  await world.pass(10 * MINUTE);
  await successor(lab, before, ...people);
  const kept = async (name: string) =>
    world
      .server(name)
      .query('SELECT 1 FROM mls_leaf l JOIN mls_group g USING (mls_group_id) WHERE mls_group_id = $1', [
        before.mlsGroupId,
      ]);
  await world.pass(23 * HOUR);
  for (const name of ['a.test', 'b.test', 'c.test']) expect(await kept(name)).toHaveLength(1);
  await world.pass(2 * HOUR);
  for (const name of ['a.test', 'b.test', 'c.test']) expect(await kept(name)).toEqual([]);
});

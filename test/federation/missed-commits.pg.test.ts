import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { toBase64url } from '../../src/kernel/bytes.js';
import { forgeCommit } from '../mls/support/fellows.js';
import { World } from '../support/world.js';
import { agree } from './agreement.js';
import { notice, stateOn, tell } from './forgery.js';

const HOUR = 3_600_000;
const [a, b, c] = [host('a.test'), host('b.test'), host('c.test')];
const REFUSED = '{"message":"FORBIDDEN"}';

/** Alice owns the group, Bob is an admin too, Charlie is a member. */
async function labWithTwoAdmins() {
  const world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  await alice.appoint(lab, bob);
  await world.settle();
  return { world, lab, alice, bob, charlie };
}

test('R-111 R-112 missed Commits are fetched from another admin server, checked, and what waited for them follows', async () => {
  const { world, lab, alice, bob, charlie } = await labWithTwoAdmins();
  await using _ = world;
  world.wire(a, c).answerNext(403, 'MLS_COMMIT', REFUSED).answerNext(403, 'MLS_COMMIT', REFUSED);
  await alice.appoint(lab, charlie);
  await world.settle();
  await alice.dismiss(lab, charlie);
  await world.settle();
  world.wire(c, a).cut();
  await alice.dismiss(lab, bob);
  await world.settle();
  expect(await charlie.sees(lab)).toMatchObject({ epoch: 2 });
  const before = world.network.sent({ from: c, what: '/ocm/mls-commits' });
  expect(before).toEqual([]);
  await world.pass(HOUR / 6);
  // Bob is no admin any more where the group stands now, but Charlie, who missed that, asks him; Alice cannot be asked.
  expect(world.network.sent({ from: c, to: b, what: '/ocm/mls-commits' })).not.toEqual([]);
  world.wire(c, a).mend();
  await world.pass(HOUR);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 5, admins: ['alice@a.test'] });
  expect(await world.server('c.test').query('SELECT * FROM group_gap')).toEqual([]);
});

test('a member that speaks of an epoch that does not exist costs one round of questions', async () => {
  const { world, lab, alice, bob, charlie } = await labWithTwoAdmins();
  await using _ = world;
  const { mlsGroupId } = await alice.sees(lab);
  const { state, suite } = await stateOn(world, 'b.test', mlsGroupId, bob.address);
  const later = { ...state, groupContext: { ...state.groupContext, epoch: 1000n } };
  const commit = await forgeCommit(later, { proposals: [] }, suite);
  const told = notice('MLS_COMMIT', 'b.test', { mlsGroupId, content: toBase64url(commit) });
  expect(await tell(world, 'b.test', 'c.test', told)).toMatchObject({ status: 202 });
  await world.pass(HOUR / 6);
  expect(world.network.sent({ from: c, what: '/ocm/mls-commits' })).toHaveLength(2);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 2, state: 'active' });
});

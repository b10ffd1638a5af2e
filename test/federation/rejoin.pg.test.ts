import { expect, test } from 'vitest';
import { UpkeepWorker } from '../../src/groups/upkeep.worker.js';
import { host } from '../../src/kernel/address.js';
import { agree } from './agreement.js';
import { audited } from './audited.js';
import { labOfThree, lose } from './forgery.js';

const HOUR = 3_600_000;
const [a, b, c] = [host('a.test'), host('b.test'), host('c.test')];

test('R-093 R-138 the Welcome of a Commit that was replaced while it was on its way does not send a server back again', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  // No leaf is renewed meanwhile.
  for (const name of ['a.test', 'b.test', 'c.test']) {
    world.server(name).get(UpkeepWorker).turn = () => Promise.resolve(false);
  }
  await alice.appoint(lab, charlie);
  await world.settle();
  await lose(world, 'b.test', mlsGroupId);
  // Alice's server takes Bob in, and its Welcome does not arrive; a day later Charlie's does.
  world.wire(a, b).cut();
  await world.pass(HOUR / 2);
  const { epoch } = await alice.sees(lab);
  world.wire(b, a).cut();
  await world.pass(36 * HOUR);
  expect(await bob.sees(lab)).toMatchObject({ state: 'active', epoch: epoch + 1 });
  world.wire(a, b).mend();
  world.wire(b, a).mend();
  await world.pass(2 * HOUR);
  await agree(lab, alice, bob, charlie);
  const welcomes = world.network.sent({ from: a, to: b, what: 'MLS_WELCOME' });
  expect(welcomes.at(-1)).toMatchObject({ outcome: 409 });
  const acts = (await audited(world, 'b.test', lab)).map(({ act }) => act);
  expect(acts.filter((act) => act === 'group.drifted')).toHaveLength(1);
});

test('R-081 R-127 R-133 the owner server that lost its state is taken in by another admin, arbitrates that itself, and owns on', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await alice.appoint(lab, bob);
  await world.pass(HOUR);
  await lose(world, 'a.test', mlsGroupId);
  world.wire(b, a).loseNextRequest('MLS_WELCOME');
  const wish = await alice.appoint(lab, charlie);
  await world.settle();
  expect(await alice.sees(lab)).toMatchObject({ state: 'drifted' });
  // What nobody here can judge is told to nobody yet.
  expect(world.network.sent({ from: a, to: c, what: 'MLS_COMMIT' }).length).toBe(1);
  await world.pass(HOUR);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({
    state: 'active',
    admins: ['alice@a.test', 'bob@b.test', 'charlie@c.test'],
    ownerServer: 'a.test',
  });
  expect(await alice.change(wish)).toMatchObject({ state: 'done' });
});

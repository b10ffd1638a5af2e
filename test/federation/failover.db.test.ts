import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { agree } from './agreement.js';
import { audited } from './audited.js';
import { between, labOfTwoAdmins, later } from './two-admins.js';
import { log } from './taken-over.js';

const HOUR = 3_600_000;
const [a, b, c] = ['a.test', 'b.test', 'c.test'].map(host) as [never, never, never];

test('R-090 R-091 of two arbiters the owner wins, wherever the other was followed, and nothing that was asked is lost', async () => {
  const { world, lab, alice, bob, charlie, cecil, dave } = await labOfTwoAdmins();
  await using _ = world;
  await bob.share(lab, 'data.tar');
  await world.settle();
  const wires = ['b.test', 'c.test', 'd.test'].map((other) => between(world, 'a.test', other));
  for (const wire of wires) wire.cut();
  await later(world, 36);
  const asked = await bob.add(lab, cecil);
  await later(world, 0.2);
  expect(await bob.change(asked)).toMatchObject({ state: 'done', epoch: 4 });
  expect(await agree(lab, bob, charlie, cecil, dave)).toMatchObject({ epoch: 4, ownerServer: b });
  const [lost] = await log(world, 'c.test', 2);

  // Alice's server is heard before it hears of the takeover.
  world.wire('b.test', 'a.test').loseNextRequest('MLS_COMMIT').loseNextRequest('MLS_COMMIT');
  for (const wire of wires) wire.mend();
  const appointed = await alice.appoint(lab, charlie);
  await world.pass(HOUR / 2);
  expect(await alice.change(appointed)).toMatchObject({ state: 'done', epoch: 3 });
  expect(await agree(lab, alice, bob, charlie, cecil, dave)).toMatchObject({
    ownerServer: a,
    admins: [alice, bob, charlie].map(({ address }) => address),
  });
  for (const server of ['a.test', 'b.test', 'c.test', 'd.test']) {
    const [won] = await log(world, server, 2);
    expect(won).toMatchObject({ arbiter: a });
    expect(won!.digest).not.toBe(lost!.digest);
  }
  const [reverted] = (await audited(world, c, lab)).filter(({ act }) => act === 'epoch.reverted');
  expect(reverted).toMatchObject({ epoch: 2, facts: { lost: expect.arrayContaining([lost!.digest]) as unknown } });
  // Cecil was added once more, and what was taken from Alice's server came back.
  expect(await bob.change(asked)).toMatchObject({ state: 'done', epoch: 4 });
  for (const person of [alice, charlie, cecil]) expect(await person.open('data.tar')).toHaveProperty('access_token');
});

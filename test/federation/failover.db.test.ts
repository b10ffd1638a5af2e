import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { agree } from './agreement.js';
import { audited } from './audited.js';
import { between, hours, labOfTwoAdmins, later } from './two-admins.js';
import { log } from './taken-over.js';

const HOUR = 3_600_000;
const [a, b, c] = ['a.test', 'b.test', 'c.test'].map(host) as [never, never, never];

test('R-088 R-089 R-094 an owner server is down for two days: the next admin takes over, the group goes on, and who comes back is no member any more', async () => {
  const { world, lab, alice, bob, charlie, cecil, dave } = await labOfTwoAdmins(hours(37));
  await using _ = world;
  await world.kill('a.test');
  const asked = await bob.add(lab, cecil);
  await later(world, 35.9);
  expect(await bob.change(asked)).toMatchObject({ state: 'committing' });
  // Only membership changes pause.
  await bob.share(lab, 'notes.txt');
  await world.settle();
  expect(await charlie.open('notes.txt')).toHaveProperty('access_token');
  expect(await bob.sees(lab)).toMatchObject({ epoch: 2, ownerServer: a });
  await later(world, 0.2);
  expect(await bob.sees(lab)).toMatchObject({ ownerServer: b });
  expect(await charlie.sees(lab)).toMatchObject({ epoch: 2, ownerServer: a });
  await later(world, 11.9);
  expect(await bob.change(asked)).toMatchObject({ state: 'done' });
  const { epoch } = await agree(lab, bob, charlie, cecil, dave);
  expect(await charlie.sees(lab)).toMatchObject({ ownerServer: b, admins: [bob.address] });
  expect(await charlie.members(lab)).toEqual([bob, cecil, charlie, dave].map(({ address }) => address));
  // Charlie's server misses the owner an hour later than Bob's: until then the takeover was to be sent again.
  const toCharlie = world.network.sent({ from: b, to: c, what: 'MLS_COMMIT' }).map(({ outcome }) => outcome);
  expect(toCharlie).toEqual(expect.arrayContaining([503, 201]));
  const taken = (await audited(world, b, lab)).filter(({ act }) => act === 'owner.taken-over');
  expect(taken).toMatchObject([{ actor: bob.address, epoch: 2, facts: { evicted: [alice.address] } }]);

  await world.restart('a.test');
  const late = await alice.remove(lab, charlie);
  await world.pass(HOUR / 4);
  expect(await alice.sees(lab)).toMatchObject({ state: 'left' });
  expect(await alice.change(late)).toMatchObject({ state: 'refused', code: 'group.left' });
  // It asked before it arbitrated, and was told.
  expect(world.network.sent({ from: a, to: c, what: 'MLS_COMMIT', outcome: 201 }).map(({ at }) => at)).toHaveLength(1);
  expect((await agree(lab, bob, charlie, cecil, dave)).epoch).toBe(epoch);
  await bob.appoint(lab, charlie);
  await world.settle();
  expect((await agree(lab, bob, charlie, dave)).epoch).toBe(epoch + 1);
});

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

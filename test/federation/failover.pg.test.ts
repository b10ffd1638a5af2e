import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { World } from '../support/world.js';
import { agree } from './agreement.js';
import { audited } from './audited.js';
import { between, hours, labOfTwoAdmins, later, UNTOUCHED } from './two-admins.js';
import { held, log, labTakenOver } from './taken-over.js';

const HOUR = 3_600_000;
const [a, b, c] = ['a.test', 'b.test', 'c.test'].map(host) as [never, never, never];

test('R-093 a server that was let in by a Commit that lost has nothing to go back to, and rejoins', async () => {
  const { world, lab, alice, bob, charlie, dave, dora, ownerComesBack } = await labTakenOver();
  await using _ = world;
  expect(await agree(lab, bob, charlie, dave, dora)).toMatchObject({ epoch: 4, ownerServer: b });
  const [lost] = await log(world, 'c.test', 2);
  await ownerComesBack();
  expect((await log(world, 'e.test', 2)).map(({ digest }) => digest)).not.toContain(lost!.digest);
  expect(await agree(lab, alice, bob, charlie, dave, dora)).toMatchObject({ ownerServer: a });
  const acts = (await audited(world, 'e.test', lab)).map(({ act }) => act);
  expect(acts).toContain('group.drifted');
  expect(acts).not.toContain('epoch.reverted');
});

test('R-093 what was done in a history that lost is carried out once more, by a server that had nothing to go back to', async () => {
  const { world, lab, alice, bob, charlie, cecil, dave, dora, ownerComesBack } = await labTakenOver();
  await using _ = world;
  await bob.appoint(lab, dora);
  await later(world, 0.2);
  const asked = await dora.add(lab, cecil);
  await later(world, 0.2);
  expect(await dora.change(asked)).toMatchObject({ state: 'done', epoch: 6 });
  const [lost] = await log(world, 'e.test', 5);
  await ownerComesBack();
  expect(await agree(lab, alice, bob, charlie, cecil, dave, dora)).toMatchObject({ epoch: 7, ownerServer: a });
  expect(await dora.change(asked)).toMatchObject({ state: 'done', epoch: 7 });
  const reverted = (await audited(world, 'e.test', lab)).filter(({ act }) => act === 'epoch.reverted');
  expect(reverted).toMatchObject([{ epoch: 5, facts: { lost: [lost!.digest] } }]);
  expect(await world.server('e.test').query('SELECT * FROM group_doubt')).toEqual([]);
});

test('R-092 what is held back is gone after an hour, and the takeover is final', async () => {
  const { world, lab, alice, bob, charlie, dave } = await labOfTwoAdmins();
  await using _ = world;
  const wires = ['b.test', 'c.test', 'd.test'].map((other) => between(world, 'a.test', other));
  for (const wire of wires) wire.cut();
  // Accepted, and told nobody.
  await alice.remove(lab, charlie);
  await world.settle();
  expect(await alice.sees(lab)).toMatchObject({ epoch: 3 });
  await later(world, 36.5);
  for (const server of ['b.test', 'c.test']) expect(await held(world, server)).toHaveLength(4);
  await later(world, 1);
  for (const server of ['b.test', 'c.test']) expect(await held(world, server)).toEqual([]);
  for (const wire of wires) wire.mend();
  await later(world, 2);
  const told = world.network.sent({ from: a, what: 'MLS_COMMIT' }).map(({ to, outcome }) => [to, outcome]);
  expect(told).toEqual(
    expect.arrayContaining([
      [b, 409],
      [c, 409],
    ]),
  );
  expect(await agree(lab, bob, charlie, dave)).toMatchObject({ epoch: 3, ownerServer: b });
});

test('R-091 R-092 R-144 a group that may still go back is not reinitialised before that is settled', async () => {
  const { world, lab, alice, bob, charlie, cecil, dave } = await labOfTwoAdmins();
  await using _ = world;
  const wires = ['b.test', 'c.test', 'd.test'].map((other) => between(world, 'a.test', other));
  for (const wire of wires) wire.cut();
  await later(world, 36);
  await bob.add(lab, cecil);
  await later(world, 0.2);
  const old = await bob.sees(lab);
  expect(old).toMatchObject({ epoch: 4, ownerServer: b });
  const asked = await bob.reinit(lab);
  await world.pass(HOUR / 4);
  expect(await bob.sees(lab)).toMatchObject({ epoch: 4, state: 'active', mlsGroupId: old.mlsGroupId });
  expect(await bob.change(asked)).toMatchObject({ state: 'prepared' });
  world.wire('b.test', 'a.test').loseNextRequest('MLS_COMMIT').loseNextRequest('MLS_COMMIT');
  for (const wire of wires) wire.mend();
  await alice.appoint(lab, charlie);
  await world.pass(HOUR / 2);
  expect((await agree(lab, alice, bob, charlie, cecil, dave)).ownerServer).toBe(a);
  expect(await bob.sees(lab)).toMatchObject({ mlsGroupId: old.mlsGroupId });
  await world.pass(2 * HOUR);
  expect(await bob.change(asked)).toMatchObject({ state: 'done' });
  expect(await bob.sees(lab)).not.toMatchObject({ mlsGroupId: old.mlsGroupId });
  await agree(lab, alice, bob, charlie, cecil, dave);
});

test('R-088 R-090 an owner that asks about its Commit and the server that took over never follow each other', async () => {
  const { world, lab, alice, bob, charlie, dave } = await labOfTwoAdmins();
  await using _ = world;
  const toBob = between(world, 'a.test', 'b.test');
  toBob.cut();
  await later(world, 36.2);
  expect(await bob.sees(lab)).toMatchObject({ ownerServer: b, admins: [bob.address] });
  for (const other of ['c.test', 'd.test']) expect(await log(world, other, 2)).toMatchObject([{ arbiter: b }]);
  toBob.mend();
  // What Alice's server asks is on its way when Bob's server tells it of the takeover, which it tries again by now.
  world.clock.advanceHours(0.4);
  world.wire('a.test', 'b.test').delayNext(60_000, 'MLS_COMMIT');
  const asked = await alice.appoint(lab, charlie);
  await world.settle();
  expect(await alice.sees(lab)).toMatchObject({ state: 'active', ownerServer: a });
  await world.pass(HOUR / 2);
  expect(await alice.change(asked)).toMatchObject({ state: 'done', epoch: 3 });
  expect((await agree(lab, alice, bob, charlie, dave)).ownerServer).toBe(a);
});

test('R-090 of two servers that took over the one before wins, and only one of them goes back', async () => {
  const world = await World.with(
    {
      'a.test': hours(36),
      'b.test': hours(36),
      'c.test': hours(36),
      'd.test': hours(36),
    },
    UNTOUCHED,
  );
  await using _ = world;
  const [alice, bob, carol, dave] = await world.users('alice@a.test', 'bob@b.test', 'carol@c.test', 'dave@d.test');
  const lab = await alice.createGroup('lab', [bob, carol, dave]);
  await alice.appoint(lab, bob);
  await alice.appoint(lab, carol);
  await world.settle();
  await world.kill('a.test');
  const [toCarol, toDave] = [between(world, 'b.test', 'c.test'), between(world, 'b.test', 'd.test')];
  toCarol.cut();
  toDave.cut();
  await later(world, 36.2);
  expect(await bob.sees(lab)).toMatchObject({ ownerServer: b });
  await later(world, 36);
  expect(await bob.sees(lab)).toMatchObject({ ownerServer: b });
  expect(await agree(lab, carol, dave)).toMatchObject({ ownerServer: c, admins: [carol.address] });
  // Carol's server is heard before it hears of Bob's.
  for (let times = 0; times < 3; times++) world.wire('b.test', 'c.test').loseNextRequest('MLS_COMMIT');
  toCarol.mend();
  toDave.mend();
  await world.pass(HOUR / 2);
  expect(await agree(lab, bob, carol, dave)).toMatchObject({
    ownerServer: b,
    admins: [bob, carol].map(({ address }) => address),
  });
  expect(world.network.sent({ from: c, to: b, what: 'MLS_COMMIT' }).at(-1)).toMatchObject({ outcome: 409 });
  const removed = await carol.remove(lab, dave);
  await world.pass(HOUR);
  expect(await carol.change(removed)).toMatchObject({ state: 'done' });
  expect((await agree(lab, bob, carol)).members).toHaveLength(2);
});

test('an owner server that was away asks before it arbitrates, and silence is as good as a yes', async () => {
  const world = await World.with({ 'a.test': hours(36), 'b.test': hours(72) }, UNTOUCHED);
  await using _ = world;
  const [alice, anna, bob] = await world.users('alice@a.test', 'anna@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  await alice.appoint(lab, bob);
  await world.settle();
  await later(world, 37);
  // As it was when the takeover time was shorter: what was noted then does not count.
  await world.server('b.test').query(`UPDATE takeover_watch SET due_at = '2027-01-05T00:00:00Z'`);
  await world.settle();
  const asked = await alice.add(lab, anna);
  await world.settle();
  expect(await alice.change(asked)).toMatchObject({ state: 'done' });
  expect(await agree(lab, alice, bob)).toMatchObject({ ownerServer: a });
  await world.kill('b.test');
  await later(world, 37);
  const unanswered = await alice.remove(lab, anna);
  await world.settle();
  expect(await alice.change(unanswered)).toMatchObject({ state: 'committing' });
  await later(world, 0.2);
  expect(await alice.change(unanswered)).toMatchObject({ state: 'done' });
});

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

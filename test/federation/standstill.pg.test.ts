import { createProposal, encodeMlsMessage } from 'ts-mls';
import { getOwnLeafNode } from 'ts-mls/clientState.js';
import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { toBase64url, utf8 } from '../../src/kernel/bytes.js';
import { proposeRemove } from '../../src/mls/epoch.js';
import { forgeCommit } from '../mls/support/fellows.js';
import { World } from '../support/world.js';
import { agree } from './agreement.js';
import { labOfThree, notice, stateOn, tell } from './forgery.js';

const HOUR = 3_600_000;
const [a, b, c] = [host('a.test'), host('b.test'), host('c.test')];

async function labOfTwoAdmins() {
  const world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, bella, charlie] = await world.users(
    'alice@a.test',
    'bob@b.test',
    'bella@b.test',
    'charlie@c.test',
  );
  const lab = await alice.createGroup('lab', [bob]);
  await alice.appoint(lab, bob);
  await world.settle();
  return { world, lab, alice, bob, bella, charlie };
}

test('a user who joins while a Commit of the server waits for its answer does not make it forget that Commit', async () => {
  const { world, lab, alice, bob, bella, charlie } = await labOfTwoAdmins();
  await using _ = world;
  world.wire(a, b).loseNextRequest('MLS_WELCOME');
  await alice.add(lab, bella);
  await world.settle();
  world.wire(b, a).cut();
  const change = await bob.add(lab, charlie);
  await world.pass(10 * 60_000);
  expect(world.network.sent({ to: b, what: 'MLS_WELCOME', outcome: 201 })).toHaveLength(2);
  expect(await bob.change(change)).toMatchObject({ state: 'committing' });
  world.wire(b, a).mend();
  await world.pass(2 * HOUR);
  expect(await bob.change(change)).toMatchObject({ state: 'done' });
  await agree(lab, alice, bob, bella, charlie);
});

test('a leave of who has become the last admin waits for another admin, and no other group waits for it', async () => {
  const { world, lab, alice, bob } = await labOfTwoAdmins();
  await using _ = world;
  const [anna] = await world.users('anna@a.test');
  world.wire(a, b).cut();
  const leave = await alice.leave(lab);
  await world.settle();
  await bob.resign(lab);
  await world.pass(1_000);
  const club = await alice.createGroup('club');
  const add = await alice.add(club, anna);
  await world.settle();
  expect(await alice.change(add)).toMatchObject({ state: 'done' });
  expect(await alice.sees(lab)).toMatchObject({ admins: ['alice@a.test'] });
  world.wire(a, b).mend();
  await alice.appoint(lab, bob);
  await world.pass(2 * HOUR);
  expect(await alice.change(leave)).toMatchObject({ state: 'done' });
  expect(await bob.members(lab)).toEqual(['bob@b.test']);
});

test('who leaves before the Welcome has come leaves once it is there, and no other group waits for it', async () => {
  const { world, lab, alice, bob, bella } = await labOfTwoAdmins();
  await using _ = world;
  world.wire(a, b).loseNextRequest('MLS_WELCOME');
  await alice.add(lab, bella);
  await world.settle();
  const leave = await bella.leave(lab);
  await world.settle();
  const club = await bob.createGroup('club');
  const add = await bob.add(club, bella);
  await world.settle();
  expect(await bob.change(add)).toMatchObject({ state: 'done' });
  await world.pass(2 * HOUR);
  expect(await bella.change(leave)).toMatchObject({ state: 'done' });
  expect((await agree(lab, alice, bob)).members).toHaveLength(2);
});

test('two self-removals of one member are one, and block nothing', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const { state, suite } = await stateOn(world, 'b.test', mlsGroupId, bob.address);
  const remove = { proposalType: 'remove', remove: { removed: state.privatePath.leafIndex } } as const;
  for (const data of ['one', 'two', 'three']) {
    const { message } = await createProposal(state, true, remove, suite, utf8(data));
    const content = toBase64url(encodeMlsMessage(message));
    const told = notice('MLS_PROPOSAL', 'b.test', { mlsGroupId, content });
    expect(await tell(world, 'b.test', 'a.test', told)).toMatchObject({ status: 201 });
  }
  expect(await world.server('a.test').query('SELECT ref FROM queued_proposal')).toHaveLength(1);
  const change = await alice.appoint(lab, charlie);
  await world.settle();
  expect(await alice.change(change)).toMatchObject({ state: 'done' });
  expect((await agree(lab, alice, charlie)).members).toHaveLength(2);
});

test('a Welcome that comes after the last other user of its server was removed catches up with the group', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const [bella] = await world.users('bella@b.test');
  await alice.appoint(lab, charlie);
  await world.settle();
  world.wire(c, b).loseNextRequest('MLS_WELCOME');
  await charlie.add(lab, bella);
  await world.settle();
  await alice.remove(lab, bob);
  await world.settle();
  await alice.appoint(lab, bella);
  await world.pass(2 * HOUR);
  expect(await agree(lab, alice, bella, charlie)).toMatchObject({ epoch: 5 });
  const leave = await bella.leave(lab);
  await world.pass(HOUR);
  expect(await bella.change(leave)).toMatchObject({ state: 'done' });
});

test('what was asked in a group that the server has left is refused', async () => {
  const { world, lab, alice, bob } = await labOfTwoAdmins();
  await using _ = world;
  const change = await bob.add(lab, 'nobody@gone.test');
  await alice.remove(lab, bob);
  await world.settle();
  expect(await bob.sees(lab)).toMatchObject({ state: 'left' });
  expect(await bob.change(change)).toMatchObject({ state: 'refused', code: 'group.left' });
  await world.pass(HOUR);
  expect(await bob.change(change)).toMatchObject({ state: 'refused' });
});

test('a user who is deleted while the Commit that adds them waits does not keep the group from moving on', async () => {
  const { world, lab, alice, bob, bella, charlie } = await labOfTwoAdmins();
  await using _ = world;
  world.wire(b, a).cut();
  const change = await bob.add(lab, bella);
  await world.settle();
  expect((await world.server('b.test').api('DELETE', `/users/${bella.address}`)).status).toBeLessThan(300);
  world.wire(b, a).mend();
  await world.pass(HOUR);
  expect(await bob.change(change)).toMatchObject({ state: 'done' });
  const next = await bob.add(lab, charlie);
  await world.pass(HOUR);
  expect(await bob.change(next)).toMatchObject({ state: 'done' });
  await agree(lab, alice, bob, charlie);
});

test('a Welcome counts when its sender was an admin at the time, also when it comes after the role has ended', async () => {
  const { world, lab, alice, bob, charlie } = await labOfTwoAdmins();
  await using _ = world;
  const [cecil] = await world.users('cecil@c.test');
  await alice.add(lab, charlie);
  await world.settle();
  world.wire(b, c).loseNextRequest('MLS_WELCOME');
  await bob.add(lab, cecil);
  await world.settle();
  await bob.resign(lab);
  await world.pass(HOUR);
  expect(world.network.sent({ from: b, to: c, what: 'MLS_WELCOME', outcome: 201 })).toHaveLength(1);
  const leave = await cecil.leave(lab);
  await world.settle();
  expect(await cecil.change(leave)).toMatchObject({ state: 'done' });
  await agree(lab, alice, bob, charlie);
});

test('a proposal reaches a server that learns only later that it has an admin', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  world.wire(a, b).cut();
  await alice.appoint(lab, bob);
  await world.settle();
  await alice.resign(lab);
  await world.settle();
  const leave = await charlie.leave(lab);
  await world.settle();
  world.wire(a, b).mend();
  await world.pass(2 * HOUR);
  expect(await charlie.change(leave)).toMatchObject({ state: 'done' });
  await agree(lab, alice, bob);
});

test('R-020 a Commit that the owner server kept for later and then forgot is submitted again', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await alice.appoint(lab, bob);
  await world.settle();
  await alice.appoint(lab, charlie);
  await world.settle();
  world.wire(a, b).cut();
  await alice.resign(lab);
  await world.settle();
  const change = await charlie.appoint(lab, alice);
  await world.settle();
  expect(world.network.sent({ from: c, to: b, what: 'MLS_COMMIT' }).map(({ outcome }) => outcome)).toEqual([202]);
  await world.server('b.test').query('DELETE FROM early_mail');
  world.wire(a, b).mend();
  await world.pass(3 * HOUR);
  expect(await charlie.change(change)).toMatchObject({ state: 'done' });
  await agree(lab, alice, bob, charlie);
});

test('one change that cannot be committed does not take others with it', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const bad = await alice.add(lab, 'nobody@gone.test');
  await world.settle();
  await world
    .server('a.test')
    .query(
      `UPDATE membership_change SET state = 'prepared', key_package = '', next_try_at = requested_at WHERE id = $1`,
      [bad.id],
    );
  const good = await alice.appoint(lab, bob);
  await world.settle();
  expect(await alice.change(good)).toMatchObject({ state: 'done' });
  expect(await alice.change(bad)).toMatchObject({ state: 'refused', code: 'codec.malformed' });
  await agree(lab, alice, bob, charlie);
});

test('mail that was kept and cannot be taken now stays for a day, and what is behind it does not wait', async () => {
  const { world, lab, alice, bob } = await labOfTwoAdmins();
  await using _ = world;
  const club = await alice.createGroup('club', [bob]);
  await alice.remove(club, bob);
  await world.settle();
  const [anna] = await world.users('anna@a.test');
  await alice.add(club, anna);
  await world.settle();
  for (const group of [club, lab]) {
    const { mlsGroupId } = await alice.sees(group);
    const [last] = await world
      .server('a.test')
      .query<{ commit: Buffer }>('SELECT commit FROM commit_log WHERE mls_group_id = $1 ORDER BY epoch DESC LIMIT 1', [
        mlsGroupId,
      ]);
    const body = notice('MLS_COMMIT', 'a.test', { mlsGroupId, content: toBase64url(last!.commit) });
    await world
      .server('b.test')
      .query('INSERT INTO early_mail VALUES ($1, $2, $3, $4, $5, $6)', [
        group,
        mlsGroupId,
        group === club ? 0 : 1,
        'a.test',
        body,
        world.clock.now(),
      ]);
  }
  const kept = () => world.server('b.test').query('SELECT digest FROM early_mail');
  await world.settle();
  expect(await kept()).toEqual([{ digest: club }]);
  await world.pass(25 * HOUR);
  expect(await kept()).toEqual([]);
});

test('what comes too late for a group that was left is refused for good: a Welcome may stand behind it', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const { state, suite } = await stateOn(world, 'c.test', mlsGroupId, charlie.address);
  const proposal = toBase64url(await proposeRemove(state, state.privatePath.leafIndex, suite));
  const commit = toBase64url(await forgeCommit(state, { path: getOwnLeafNode(state) }, suite));
  await alice.remove(lab, bob);
  await world.settle();
  const proposed = notice('MLS_PROPOSAL', 'c.test', { mlsGroupId, content: proposal });
  expect(await tell(world, 'c.test', 'b.test', proposed)).toMatchObject({ status: 410, code: 'group.left' });
  const committed = notice('MLS_COMMIT', 'c.test', { mlsGroupId, content: commit });
  expect(await tell(world, 'c.test', 'b.test', committed)).toMatchObject({ status: 409, code: 'commit.stale' });
});

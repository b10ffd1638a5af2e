import { expect, test } from 'vitest';
import { epoch } from '../../src/kernel/ids.js';
import { HeldStateRepository } from '../../src/mls/held-state.repository.js';
import { type MlsServer, twoServers } from './mls-world.js';

const held = new HeldStateRepository();
const at = (hour: number) => new Date(Date.UTC(2027, 0, 4, hour));

/** Every row of the MLS state. */
const rows = (server: MlsServer) =>
  server.db.run(async (tx) => {
    const found: unknown[] = [];
    for (const table of ['mls_group', 'mls_leaf', 'pending_commit']) {
      found.push(await tx.query(`SELECT * FROM ${table} ORDER BY 1, 2`));
    }
    return found;
  });

/** Bob, too, is an admin, and in epoch 2 a Commit of his waits for its answer; both states of then are held. */
async function heldInEpochTwo() {
  const world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  await b.follow(lab, await a.commit(lab, { committer: alice, admins: [alice, bob] }));
  const waiting = await b.db.run((tx) =>
    b.mls.buildCommit(tx, { mlsGroupId: lab, committer: bob, add: [], remove: [] }),
  );
  await b.db.run((tx) => held.hold(tx, lab, epoch(2), at(10)));
  const restore = () => b.db.run((tx) => held.restore(tx, lab, epoch(2)));
  return { ...world, waiting, restore, before: await rows(b) };
}

test('R-091 a state comes back as it was, with the Commit of ours that waited then, and another way is open', async () => {
  await using world = await heldInEpochTwo();
  const { a, b, lab, alice, waiting, before, restore } = world;
  await b.follow(lab, await a.commit(lab, { committer: alice }));
  await b.follow(lab, await a.commit(lab, { committer: alice }));
  expect(await rows(b)).not.toEqual(before);
  await restore();
  expect(await rows(b)).toEqual(before);
  await b.db.run((tx) => b.mls.acceptPending(tx, lab, waiting.digest));
  expect(await b.view(lab)).toMatchObject({ epoch: 3 });
});

test('a server whose last leaf was removed on the lost way has it back', async () => {
  await using world = await heldInEpochTwo();
  const { a, b, lab, alice, bob, before, restore } = world;
  await b.follow(lab, await a.commit(lab, { committer: alice, remove: [bob] }));
  expect(await b.count('mls_group')).toBe(0);
  await restore();
  expect(await rows(b)).toEqual(before);
});

test('R-092 what is held is gone when its time is over, and what belongs to a lost way before that', async () => {
  await using world = await heldInEpochTwo();
  const { a, b, lab, alice } = world;
  await b.follow(lab, await a.commit(lab, { committer: alice }));
  await b.db.run((tx) => held.hold(tx, lab, epoch(3), at(11)));
  const epochs = () => b.db.run(async (tx) => tx.query<object[]>('SELECT DISTINCT epoch FROM held_state'));
  await b.db.run((tx) => held.forgetAfter(tx, lab, epoch(2)));
  expect(await epochs()).toEqual([{ epoch: '2' }]);
  await b.db.run((tx) => held.forgetExpired(tx, at(9)));
  expect(await epochs()).toEqual([{ epoch: '2' }]);
  await b.db.run((tx) => held.forgetExpired(tx, at(10)));
  expect(await epochs()).toEqual([]);
});

import {
  createApplicationMessage,
  emptyPskIndex,
  processPrivateMessage,
  type ClientState,
  type MlsPrivateMessage,
} from 'ts-mls';
import { expect, test } from 'vitest';
import type { OcmAddress } from '../../src/kernel/address.js';
import type { MlsGroupId } from '../../src/kernel/ids.js';
import { epochOf, stateOf } from '../../src/mls/local-group.js';
import { alone } from '../../src/mls/local-group.js';
import { type MlsServer, twoServers } from './mls-world.js';

type Message = MlsPrivateMessage['privateMessage'];

/** As whoever sends application messages does it: lock, use a generation, store. */
const send = (server: MlsServer, group: MlsGroupId, sender: OcmAddress): Promise<Message> =>
  server.db.run(async (tx) => {
    const held = await server.groups.lock(tx, group);
    const sent = await createApplicationMessage(stateOf(held, sender), new Uint8Array([1]), server.suite);
    await server.states.save(tx, held.locked, { common: sent.newState, groupKey: held.groupKey });
    return sent.privateMessage;
  });

const open = async (state: ClientState, message: Message, server: MlsServer) => {
  const result = await processPrivateMessage(state, message, emptyPskIndex, server.suite);
  if (result.kind !== 'applicationMessage') throw new Error('not an application message');
  return result;
};

test('of many messages sent at the same time no two use the same generation', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  const messages = await Promise.all(Array.from({ length: 24 }, () => send(a, lab, alice)));
  let state = stateOf(await b.db.run((tx) => b.groups.lock(tx, lab)), bob);
  const generations = [];
  for (const message of messages) {
    const opened = await open(state, message, b);
    generations.push(opened.generation);
    state = opened.newState;
  }
  expect(generations.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 24 }, (_, at) => at));
});

test('a message of the epoch before is opened after an own Commit was accepted, but not a second time', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  const built = await a.db.run((tx) =>
    a.mls.buildCommit(tx, { mlsGroupId: lab, committer: alice, add: [], remove: [] }),
  );
  // While the Commit waits, one message comes in; the other one is late.
  const [seen, late] = [await send(b, lab, bob), await send(b, lab, bob)];
  await a.db.run(async (tx) => {
    const held = await a.groups.lock(tx, lab);
    const opened = await open(stateOf(held, alice), seen, a);
    await a.states.save(tx, held.locked, { common: opened.newState, groupKey: held.groupKey });
  });
  await a.db.run((tx) => a.mls.acceptPending(tx, lab, built.digest));
  const state = stateOf(await a.db.run((tx) => a.groups.lock(tx, lab)), alice);
  await expect(open(state, seen, a)).rejects.toThrow('past');
  expect((await open(state, late, a)).generation).toBe(1);
});

test('a state is saved only over the epoch that was locked', async () => {
  await using world = await twoServers();
  const { a, lab, alice } = world;
  const held = await a.db.run((tx) => a.groups.lock(tx, lab));
  await a.commit(lab, { committer: alice });
  await expect(a.db.run((tx) => a.states.save(tx, held.locked, held))).rejects.toThrow('internal');
  expect(epochOf(await a.db.run((tx) => a.groups.lock(tx, lab)))).toBe(epochOf(held) + 1);
});

test('a sealed state does not open in the place of another', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  await b.db.run((tx) => tx.query(`UPDATE mls_group SET epoch = epoch + 1`));
  await expect(b.view(lab)).resolves.toMatchObject({ epoch: 1 });
  await expect(b.db.run((tx) => b.groups.lock(tx, lab))).rejects.toThrow('vault.sealed-otherwise');
  await a.db.run((tx) => tx.query(`UPDATE mls_leaf SET address = 'eve@a.test' WHERE address = $1`, [alice]));
  await expect(a.db.run((tx) => a.groups.lock(tx, lab))).rejects.toThrow('vault.sealed-otherwise');
});

test('whoever joins does not turn the ratchets of the group back', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  const carol = await b.user('carol', true);
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(carol)] });
  await b.follow(lab, added);
  const first = await send(b, lab, bob);
  await b.join(carol, added.welcome!);
  const second = await send(b, lab, bob);
  let state = stateOf(await a.db.run((tx) => a.groups.lock(tx, lab)), alice);
  expect(alone(state).historicalReceiverData.size).toBe(0);
  const generations = [];
  for (const message of [first, second, await send(b, lab, carol)]) {
    const opened = await open(state, message, a);
    generations.push([opened.senderLeafIndex, opened.generation]);
    state = opened.newState;
  }
  expect(generations).toEqual([
    [1, 0],
    [1, 1],
    [2, 0],
  ]);
});

import { expect, test } from 'vitest';
import type { OcmAddress } from '../../src/kernel/address.js';
import { toHex } from '../../src/kernel/bytes.js';
import type { MlsGroupId } from '../../src/kernel/ids.js';
import { type MlsServer, twoServers } from './mls-world.js';

const propose = (server: MlsServer, mlsGroupId: MlsGroupId, ...members: OcmAddress[]) =>
  server.db.run((tx) => server.mls.proposeUpdates(tx, { mlsGroupId, members }));

const proposalsOf = (...proposed: Awaited<ReturnType<typeof propose>>[]) =>
  proposed.flat().map(({ proposal }) => proposal);

/** The HPKE keys that the server's own leaves have in the tree, each checked against the private half that is held. */
async function ownKeys(server: MlsServer, mlsGroupId: MlsGroupId): Promise<Map<OcmAddress, string>> {
  const { common, leaves } = await server.db.run((tx) => server.groups.lock(tx, mlsGroupId));
  const keys = new Map<OcmAddress, string>();
  const { hpke } = server.suite;
  const info = new Uint8Array();
  for (const { address, secrets } of leaves) {
    const index = 2 * secrets.privatePath.leafIndex;
    const node = common.ratchetTree[index];
    if (node?.nodeType !== 'leaf') throw new Error(`no leaf of ${address}`);
    const sealed = await hpke.seal(await hpke.importPublicKey(node.leaf.hpkePublicKey), Uint8Array.of(7), info);
    const own = await hpke.importPrivateKey(secrets.privatePath.privateKeys[index]!);
    expect(await hpke.open(own, sealed.enc, sealed.ct, info), `${address} holds the key of its leaf`).toEqual(
      Uint8Array.of(7),
    );
    keys.set(address, toHex(node.leaf.hpkePublicKey));
  }
  return keys;
}

/** Alice, anna and adam on a.test, bob, bella and ben on b.test; alice, anna and bella are admins. */
async function twoCrews() {
  const world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  const people: Record<string, OcmAddress> = {};
  for (const [server, name] of [
    [a, 'anna'],
    [b, 'bella'],
    [a, 'adam'],
    [b, 'ben'],
  ] as const) {
    const member = (people[name] = await server.user(name, true));
    const commit = await a.commit(lab, { committer: alice, add: [await server.keyPackage(member)] });
    await b.follow(lab, commit);
    await server.join(member, commit.welcome!);
  }
  const { anna, bella, adam, ben } = people as Record<'anna' | 'bella' | 'adam' | 'ben', OcmAddress>;
  await b.follow(lab, await a.commit(lab, { committer: alice, admins: [alice, anna, bella] }));
  /** Everybody stands at the same place, and each admin can bring everybody to the next. */
  const agree = async () => {
    expect(await b.view(lab)).toEqual(await a.view(lab));
    await b.follow(lab, await a.commit(lab, { committer: anna }));
    await a.follow(lab, await b.commit(lab, { committer: bella }));
    expect(await b.view(lab)).toEqual(await a.view(lab));
  };
  return Object.assign(world, { alice, bob, anna, bella, adam, ben, agree });
}

test('R-128 Updates of several leaves of each server are covered by one Commit, and all of them follow it', async () => {
  await using world = await twoCrews();
  const { a, b, lab, alice, anna, adam, bob, bella, ben, agree } = world;
  const before = [await ownKeys(a, lab), await ownKeys(b, lab)];
  // Bob's is the leaf that judges on b.test, alice's the one that commits.
  const proposals = proposalsOf(await propose(b, lab, bob, bella, ben), await propose(a, lab, anna, adam));
  for (const proposal of proposals) {
    const read = await a.db.run((tx) => a.mls.readProposal(tx, { mlsGroupId: lab, proposal }));
    expect(read).toMatchObject({ kind: 'update', epoch: 6 });
  }
  const commit = await a.commit(lab, { committer: alice, proposals });
  expect(commit.facts.updated.toSorted()).toEqual([adam, alice, anna, bella, ben, bob].toSorted());
  await b.follow(lab, commit);
  for (const [at, server] of [a, b].entries()) {
    for (const [address, key] of await ownKeys(server, lab)) expect(key).not.toBe(before[at]!.get(address));
  }
  await agree();
});

test('a Commit of ours that waits carries the new keys of our other leaves, and none that came after it was made', async () => {
  await using world = await twoCrews();
  const { a, b, lab, alice, anna, adam, agree } = world;
  const [first] = await propose(a, lab, anna);
  const keys = await ownKeys(a, lab);
  const waiting = await a.db.run((tx) =>
    a.mls.buildCommit(tx, { mlsGroupId: lab, committer: alice, add: [], remove: [], proposals: [first!.proposal] }),
  );
  await propose(a, lab, adam);
  await a.db.run((tx) => a.mls.acceptPending(tx, lab, waiting.digest));
  await b.follow(lab, waiting);
  const after = await ownKeys(a, lab);
  expect(after.get(anna)).not.toBe(keys.get(anna));
  expect(after.get(adam)).toBe(keys.get(adam));
  await agree();
});

test('an Update that a Commit did not cover leaves the old key, and another one is proposed in the new epoch', async () => {
  await using world = await twoCrews();
  const { a, b, lab, alice, bob, ben, agree } = world;
  const keys = await ownKeys(b, lab);
  const [lost] = await propose(b, lab, bob);
  const bens = await propose(b, lab, bob, ben);
  expect(bens).toMatchObject([{ member: ben }]);
  expect(await propose(b, lab, bob, ben)).toEqual([]);
  await b.follow(lab, await a.commit(lab, { committer: alice, proposals: proposalsOf(bens) }));
  expect((await ownKeys(b, lab)).get(bob)).toBe(keys.get(bob));
  const [again] = await propose(b, lab, bob);
  expect(again!.ref).not.toBe(lost!.ref);
  const stale = a.commit(lab, { committer: alice, proposals: [lost!.proposal] });
  await expect(stale).rejects.toThrow('commit.proposal-refused');
  await b.follow(lab, await a.commit(lab, { committer: alice, proposals: [again!.proposal] }));
  expect((await ownKeys(b, lab)).get(bob)).not.toBe(keys.get(bob));
  await agree();
});

test('a Commit of ours that lost to one that covers our Updates leaves us with their keys', async () => {
  await using world = await twoCrews();
  const { a, b, lab, alice, bella, ben, agree } = world;
  const proposals = proposalsOf(await propose(b, lab, bella, ben));
  await b.db.run((tx) => b.mls.buildCommit(tx, { mlsGroupId: lab, committer: bella, add: [], remove: [] }));
  await b.follow(lab, await a.commit(lab, { committer: alice, proposals }));
  await ownKeys(b, lab);
  await agree();
});

test('an Update is for a leaf that is here, and its key lies sealed', async () => {
  await using world = await twoCrews();
  const { a, b, lab, alice, ben } = world;
  expect(await propose(a, lab, ben)).toEqual([]);
  await propose(b, lab, ben);
  const { leaves } = await b.db.run((tx) => b.groups.lock(tx, lab));
  const key = leaves.find(({ address }) => address === ben)!.secrets.update!.privateKey;
  const rows: { private: Buffer }[] = await b.db.run((tx) => tx.query('SELECT private FROM mls_leaf'));
  for (const row of rows) expect(toHex(row.private)).not.toContain(toHex(key));
  // Gone with the epoch.
  await b.follow(lab, await a.commit(lab, { committer: alice }));
  const after = await b.db.run((tx) => b.groups.lock(tx, lab));
  expect(after.leaves.every(({ secrets }) => secrets.update === undefined)).toBe(true);
});

import { expect, test } from 'vitest';
import { ocmAddress } from '../../src/kernel/address.js';
import { epoch } from '../../src/kernel/ids.js';
import { twoServers } from './mls-world.js';

const LATER = new Date('2040-01-01T00:00:00Z');

test('R-133 R-139 a lost state goes with its leaves and a Commit that waits; the last Group Key stays until the return, and an hour longer', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  const { groupKey } = await b.db.run((tx) => b.groups.lock(tx, lab));
  const key = groupKey.slice();
  await b.db.run((tx) => b.stateLoss.discard(tx, lab));
  for (const table of ['mls_group', 'mls_leaf', 'pending_commit']) expect(await b.count(table)).toBe(0);
  const kept = () => b.db.run((tx) => b.earlierKeys.find(tx, lab, epoch(1)));
  await b.db.run((tx) => b.earlierKeys.forgetOld(tx, LATER));
  expect(await kept()).toEqual(key);

  const fresh = await b.db.run((tx) => b.stateLoss.freshKeyPackage(tx, bob));
  const rejoin = [{ address: bob, keyPackage: fresh!.content }];
  const commit = await a.commit(lab, { committer: alice, rejoin });
  expect(await b.stateLoss.readCommit(commit.commit)).toMatchObject({ adds: [fresh!.ref] });
  await b.join(bob, commit.welcome!);
  expect(await b.view(lab)).toEqual(await a.view(lab));
  expect(await kept()).toEqual(key);
  await b.db.run((tx) => b.earlierKeys.forgetOld(tx, LATER));
  expect(await kept()).toBeUndefined();
});

test('a Commit is known by its tag as the one that began the epoch here', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, added } = world;
  const stands = async (commit: Uint8Array) => {
    const read = await b.stateLoss.readCommit(commit);
    return (await b.db.run((tx) => b.stateLoss.confirmationTag(tx, lab))) === read.confirmationTag;
  };
  expect(await stands(added.commit)).toBe(true);
  const next = await a.commit(lab, { committer: alice });
  expect(await stands(next.commit)).toBe(false);
  await b.follow(lab, next);
  expect([await stands(next.commit), await stands(added.commit)]).toEqual([true, false]);
});

test('R-126 R-135 the KeyPackage of a rejoin is new each time, in no stock, and good for its own user only', async () => {
  await using world = await twoServers();
  const { a, b, lab, bob } = world;
  const [one, two] = [
    await b.db.run((tx) => b.stateLoss.freshKeyPackage(tx, bob)),
    await b.db.run((tx) => b.stateLoss.freshKeyPackage(tx, bob)),
  ];
  expect(one!.ref).not.toBe(two!.ref);
  const states = await b.db.run((tx) =>
    tx.query<{ state: string }[]>('SELECT state FROM key_package WHERE ref = ANY ($1)', [[one!.ref, two!.ref]]),
  );
  expect(states).toEqual([{ state: 'handed-out' }, { state: 'handed-out' }]);
  expect(await b.db.run((tx) => b.stateLoss.freshKeyPackage(tx, ocmAddress('nobody@b.test')))).toBeUndefined();

  const replaces = (user: string, keyPackage: Uint8Array) =>
    a.db.run((tx) => a.stateLoss.replaces(tx, lab, ocmAddress(user), keyPackage));
  expect(await replaces('bob@b.test', one!.content)).toBe(true);
  await expect(replaces('bella@b.test', one!.content)).rejects.toThrow('key-package.other-user');
  await expect(replaces('bob@b.test', one!.content.slice(1))).rejects.toThrow('codec.malformed');
});

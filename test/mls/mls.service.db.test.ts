import { expect, test } from 'vitest';
import { ocmAddress } from '../../src/kernel/address.js';
import { MlsServer } from './mls-world.js';

const LAB = ocmAddress('lab@a.test');

/** Alice of a.test has founded the group and added Bob of b.test. */
async function twoServers() {
  const [a, b] = [await MlsServer.of('a.test'), await MlsServer.of('b.test')];
  const [alice, bob] = [await a.user('alice', true), await b.user('bob', true)];
  const { mlsGroupId: lab } = await a.db.run((tx) => a.mls.createGroup(tx, { address: LAB, creator: alice }));
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(bob)] });
  await b.join(bob, added.welcome!);
  return {
    a, b, alice, bob, lab, added,
    async [Symbol.asyncDispose]() {
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
    },
  };
}

test('two servers hold the same group after a join', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  const view = await a.view(lab);
  expect(view).toEqual(await b.view(lab));
  expect(view).toMatchObject({ address: LAB, epoch: 1, admins: [alice] });
  expect(view.members).toEqual([
    { leafIndex: 0, address: alice },
    { leafIndex: 1, address: bob },
  ]);
});

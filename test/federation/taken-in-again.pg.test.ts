import { expect, test } from 'vitest';
import { host, ocmAddress, type OcmAddress } from '../../src/kernel/address.js';
import { toBase64url } from '../../src/kernel/bytes.js';
import { readKeyPackage } from '../../src/mls/key-package.js';
import { KeyPackageClient } from '../../src/mls/key-package.client.js';
import { keyPackageEntry } from '../../src/ocm/notification-body.js';
import { StateLossService } from '../../src/mls/state-loss.service.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { byValue, forgeCommit } from '../mls/support/fellows.js';
import { World } from '../support/world.js';
import { agree, federationOf } from './agreement.js';
import { labOfThree, notice, stateOn, tell } from './forgery.js';

const HOUR = 3_600_000;
const [a, b] = [host('a.test'), host('b.test')];

/** A Commit of Alice that passes every check but the last one: its confirmation tag is made up. */
async function unopenable(world: World, mlsGroupId: string, alice: OcmAddress, added: string) {
  const { state, suite } = await stateOn(world, 'a.test', mlsGroupId, alice);
  const keyPackage = readKeyPackage(await world.server('a.test').get(KeyPackageClient).fetch(ocmAddress(added)));
  const proposals = byValue({ proposalType: 'add', add: { keyPackage } });
  const content = toBase64url(await forgeCommit(state, { proposals }, suite));
  return notice('MLS_COMMIT', 'a.test', { mlsGroupId, content });
}

test('R-061 R-125 R-126 R-132 R-137 R-138 R-139 a server with two users that drifted serves on, and rejoins by one Commit', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, bella, charlie] = await world.users(
    'alice@a.test',
    'bob@b.test',
    'bella@b.test',
    'charlie@c.test',
    'anna@a.test',
  );
  const lab = await alice.createGroup('lab', [bob, bella, charlie]);
  await alice.share(lab, 'data.tar');
  await alice.appoint(lab, bob);
  await world.settle();
  const { mlsGroupId, epoch } = await alice.sees(lab);
  world.wire(a, b).loseNextRequest('MLS_WELCOME');
  const bad = await unopenable(world, mlsGroupId, alice.address, 'anna@a.test');
  expect(await tell(world, 'a.test', 'b.test', bad)).toMatchObject({ status: 403 });
  await world.settle();
  const logged = () => world.server('b.test').query('SELECT epoch FROM commit_log');
  expect(await logged()).not.toEqual([]);
  expect(await bob.sees(lab)).toMatchObject({ state: 'drifted' });
  expect(await bob.open('data.tar')).toMatchObject({ uri: expect.any(String) as string });
  await world.pass(HOUR / 6);
  expect(await agree(lab, alice, bob, bella, charlie)).toMatchObject({ epoch: epoch + 1, state: 'active' });
  // The Commits from before may be of another history, and nobody is told of them.
  expect(await logged()).toEqual([]);
  const asked = world.network.sent({ from: b, what: 'MLS_REJOIN' });
  expect(asked.map(({ to }) => to)).toEqual([a]);
  expect(federationOf(asked[0]!)['keyPackages']).toMatchObject([{ userId: 'bob@b.test' }, { userId: 'bella@b.test' }]);
  await alice.remove(lab, charlie);
  await bella.leave(lab);
  await world.settle();
  expect((await agree(lab, alice, bob)).members).toHaveLength(2);
});

test('R-135 R-136 a rejoin never admits a new party, and nobody asks for the users of others', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await world.users('berta@b.test');
  const server = world.server('b.test');
  const fresh = async (userId: string) => {
    const made = await server
      .get(TransactionService)
      .run((tx) => server.get(StateLossService).freshKeyPackage(tx, ocmAddress(userId)));
    return { userId, ...keyPackageEntry(made!.content) };
  };
  const ask = (from: string, to: string, ...keyPackages: object[]) =>
    tell(world, from, to, notice('MLS_REJOIN', from, { mlsGroupId, keyPackages }));
  const [own, stranger] = [await fresh('bob@b.test'), await fresh('berta@b.test')];
  expect(await ask('b.test', 'a.test', stranger)).toMatchObject({ status: 403, code: 'rejoin.not-member' });
  expect(await ask('c.test', 'a.test', own)).toMatchObject({ status: 403, code: 'rejoin.not-from-home' });
  expect(await ask('b.test', 'c.test', own)).toMatchObject({ status: 403, code: 'rejoin.not-admin-server' });
  expect(await ask('b.test', 'a.test', { ...stranger, userId: 'bob@b.test' })).toMatchObject({
    status: 403,
    code: 'rejoin.key-package',
  });
  const { epoch } = await alice.sees(lab);
  expect(await ask('b.test', 'a.test', own, stranger)).toMatchObject({ status: 201 });
  await world.settle();
  expect(await alice.members(lab)).toEqual(['alice@a.test', 'bob@b.test', 'charlie@c.test']);
  await agree(lab, alice, bob, charlie);

  // The same again is about a leaf that is in the tree.
  await world.pass(HOUR);
  expect(await ask('b.test', 'a.test', own)).toMatchObject({ status: 201 });
  await world.pass(HOUR / 6);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: epoch + 1 });
});

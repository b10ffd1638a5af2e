import { expect, test } from 'vitest';
import { ocmAddress } from '../../src/kernel/address.js';
import type { Epoch } from '../../src/kernel/ids.js';
import { isFault } from '../../src/kernel/fault.js';
import { LAST_RESORT_EXTENSION } from '../../src/mls/own-key-package.js';
import { readKeyPackage } from '../../src/mls/key-package.js';
import type { PendingCommit } from '../../src/mls/pending-commit.repository.js';
import { DAY, LAB, MlsServer, twoServers } from './mls-world.js';

/** What a commit log would give. */
const log =
  (...commits: PendingCommit[]) =>
  async (at: Epoch) =>
    commits.filter(({ epoch }) => epoch >= at);

test('R-041 R-042 R-158 the private keys of a KeyPackage go when its Welcome is joined', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await b.user('carol', true);
  const refs = () => b.db.run((tx) => tx.query(`SELECT ref FROM key_package WHERE address = $1 ORDER BY ref`, [carol]));
  const before: unknown[] = await refs();
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(carol)] });
  await b.follow(lab, added);
  expect(await refs()).toEqual(before);
  await b.join(carol, added.welcome!);
  expect((await refs()).length).toBe(before.length - 1);
});

test('R-041 R-044 those of a last resort stay, and serve for several groups', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await b.user('carol');
  const given = await b.keyPackage(carol);
  expect(readKeyPackage(given.keyPackage).extensions.map((one) => one.extensionType)).toEqual([LAST_RESORT_EXTENSION]);
  const { mlsGroupId: other } = await a.db.run((tx) =>
    a.mls.createGroup(tx, { address: ocmAddress('other@a.test'), creator: alice }),
  );
  for (const group of [lab, other]) {
    const added = await a.commit(group, { committer: alice, add: [given] });
    if (group === lab) await b.follow(lab, added);
    expect((await b.join(carol, added.welcome!)).ready).toBe(true);
    expect(await b.view(group)).toEqual(await a.view(group));
  }
});

test('the same Welcome again is answered as before, for as long as the user is a member', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob, added } = world;
  expect(await b.join(bob, added.welcome!)).toMatchObject({ view: await b.view(lab), ready: true });
  await b.follow(lab, await a.commit(lab, { committer: alice }));
  expect(await b.join(bob, added.welcome!)).toEqual({ view: await b.view(lab), ready: true });
  await b.follow(lab, await a.commit(lab, { committer: alice, remove: [bob] }));
  await expect(b.join(bob, added.welcome!)).rejects.toThrow('welcome.used');
});

test('a Welcome for a KeyPackage that is not ours, of another user, or used before is refused', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob, added } = world;
  const carol = await b.user('carol', true);
  const given = await b.keyPackage(carol);
  const { mlsGroupId: other } = await a.db.run((tx) =>
    a.mls.createGroup(tx, { address: ocmAddress('other@a.test'), creator: alice }),
  );
  const one = await a.commit(other, { committer: alice, add: [given] });
  const two = await a.commit(lab, { committer: alice, add: [given] });
  await b.follow(lab, two);

  const before = await b.count('key_package');
  await expect(b.join(bob, one.welcome!)).rejects.toThrow('welcome.wrong-user');
  await expect(b.join(ocmAddress('carol@a.test'), one.welcome!)).rejects.toThrow('client.foreign');
  await expect(b.join(ocmAddress('nobody@b.test'), one.welcome!)).rejects.toThrow('welcome.wrong-user');
  expect(await b.count('key_package')).toBe(before);
  await b.join(carol, one.welcome!);
  await expect(b.join(carol, two.welcome!)).rejects.toThrow('welcome.used');
  await expect(b.join(bob, two.welcome!)).rejects.toThrow('welcome.not-ours');
  await using c = await MlsServer.of('c.test');
  const dora = await c.user('dora', true);
  await expect(c.join(dora, added.welcome!)).rejects.toThrow('welcome.not-ours');
});

test('what is no Welcome, or was changed on the way, is refused and the KeyPackage stays good', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await b.user('carol', true);
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(carol)] });
  await b.follow(lab, added);
  const welcome = added.welcome!;
  for (const bytes of [added.commit, welcome.slice(0, -1), new Uint8Array([...welcome, 0]), new Uint8Array()]) {
    await expect(b.join(carol, bytes)).rejects.toThrow('codec.malformed');
  }
  const changed = welcome.slice();
  changed[welcome.length - 20]! ^= 1;
  await expect(b.join(carol, changed)).rejects.toMatchObject({ name: 'Fault' });
  expect((await b.join(carol, welcome)).ready).toBe(true);
});

test('a Welcome that comes before its Commit waits for it, and costs nothing', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await b.user('carol', true);
  const earlier = await a.commit(lab, { committer: alice });
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(carol)] });
  for (const commit of [earlier, added]) {
    const early = await b.join(carol, added.welcome!);
    expect(early).toEqual({ view: added.facts.after, ready: false });
    expect(await b.count('mls_leaf')).toBe(1);
    await b.follow(lab, commit);
  }
  expect(await b.join(carol, added.welcome!)).toMatchObject({ view: await a.view(lab), ready: true });
});

test('a user who is welcomed late is taken through the Commits that the server has followed since', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await b.user('carol', true);
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(carol)] });
  const since = [
    added,
    await a.commit(lab, { committer: alice }),
    await a.commit(lab, { committer: alice, admins: [alice, carol] }),
  ];
  for (const commit of since) await b.follow(lab, commit);
  await expect(b.join(carol, added.welcome!)).rejects.toThrow('welcome.unreachable');
  await expect(b.join(carol, added.welcome!, log(since[2]!))).rejects.toMatchObject({ name: 'Fault' });
  const inviters = added.facts.after.admins;
  expect(await b.join(carol, added.welcome!, log(...since))).toEqual({
    view: await a.view(lab),
    ready: true,
    inviters,
  });
  const byCarol = await b.commit(lab, { committer: carol });
  await a.follow(lab, byCarol);
  expect(await b.view(lab)).toEqual(await a.view(lab));
});

test('a user who was removed again since is not taken in', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await b.user('carol', true);
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(carol)] });
  const removed = await a.commit(lab, { committer: alice, remove: [carol] });
  await b.follow(lab, added);
  await b.follow(lab, removed);
  await expect(b.join(carol, added.welcome!, log(added, removed))).rejects.toThrow('welcome.outdated');
});

test('a Welcome of another history of the same group is refused', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await b.user('carol', true);
  const add = [await b.keyPackage(carol)];
  const lost = await a.db.run((tx) => a.mls.buildCommit(tx, { mlsGroupId: lab, committer: alice, add, remove: [] }));
  await a.db.run((tx) => a.mls.dropPending(tx, lab));
  await b.follow(lab, await a.commit(lab, { committer: alice }));
  await expect(b.join(carol, lost.welcome!)).rejects.toThrow('welcome.apart');
});

test('R-003 a second leaf of a user in the same group is refused', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await b.user('carol');
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(carol)] });
  await b.follow(lab, added);
  await b.join(carol, added.welcome!);
  // Her last resort would open it again.
  await b.db.run((tx) => tx.query('DELETE FROM joined_welcome'));
  await expect(b.join(carol, added.welcome!)).rejects.toThrow('welcome.member-already');
  expect(await b.count('mls_leaf')).toBe(2);
});

test('two users of a server that join a new group at the same time both get in', async () => {
  await using world = await twoServers();
  const { a, b, alice, bob } = world;
  const carol = await b.user('carol', true);
  const { mlsGroupId: other } = await a.db.run((tx) =>
    a.mls.createGroup(tx, { address: ocmAddress('other@a.test'), creator: alice }),
  );
  const add = [await b.keyPackage(bob), await b.keyPackage(carol)];
  const { welcome } = await a.commit(other, { committer: alice, add });
  const joined = await Promise.allSettled([b.join(bob, welcome!), b.join(carol, welcome!), b.join(bob, welcome!)]);
  expect(joined.map((one) => (one.status === 'fulfilled' ? one.value.ready : one.reason))).toEqual([true, true, true]);
  expect(await b.count('mls_leaf')).toBe(3);
  expect(await b.view(other)).toEqual(await a.view(other));
});

test('a Welcome may be some days late, but not for ever', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await b.user('carol', true);
  const dora = await b.user('dora', true);
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(carol), await b.keyPackage(dora)] });
  await b.follow(lab, added);
  b.clock.advance(36 * DAY);
  await b.keyPackages.tidy();
  expect((await b.join(carol, added.welcome!)).ready).toBe(true);
  b.clock.advance(2 * DAY);
  await b.keyPackages.tidy();
  const late: unknown = await b.join(dora, added.welcome!).catch((error: unknown) => error);
  expect(isFault(late, 'welcome.not-ours')).toBe(true);
});

test('R-108 the address of the group is learnt from the Welcome', async () => {
  await using world = await twoServers();
  expect((await world.b.view(world.lab)).address).toBe(LAB);
});

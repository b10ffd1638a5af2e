import { expect, test } from 'vitest';
import { type OcmAddress, ocmAddress } from '../../src/kernel/address.js';
import { fromBase64url, toHex } from '../../src/kernel/bytes.js';
import { isFault } from '../../src/kernel/fault.js';
import type { MlsGroupId } from '../../src/kernel/ids.js';
import { DAY, LAB, MlsServer, twoServers } from './mls-world.js';

/** Every row of the MLS state, so that it can be seen to be untouched. */
const rows = (server: MlsServer) =>
  server.db.run(async (tx) => {
    const tables = ['mls_group', 'mls_leaf', 'pending_commit', 'key_package', 'joined_welcome'];
    const found: unknown[] = [];
    for (const table of tables) found.push(await tx.query(`SELECT * FROM ${table} ORDER BY 1, 2`));
    return JSON.stringify(found);
  });

const build = (server: MlsServer, mlsGroupId: MlsGroupId, committer: OcmAddress, wish = {}) =>
  server.db.run((tx) => server.mls.buildCommit(tx, { mlsGroupId, committer, add: [], remove: [], ...wish }));

const codeOf = (result: PromiseSettledResult<unknown>) =>
  result.status === 'fulfilled' ? 'done' : isFault(result.reason) ? result.reason.code : String(result.reason);

test('R-048 R-050 a founder is alone and first admin, in a group with a fresh random id', async () => {
  await using server = await MlsServer.of('a.test');
  const alice = await server.user('alice');
  const [one, two] = await server.db.run(async (tx) => [
    await server.mls.createGroup(tx, { address: LAB, creator: alice }),
    await server.mls.createGroup(tx, { address: ocmAddress('other@a.test'), creator: alice }),
  ]);
  expect(one).toMatchObject({ epoch: 0, address: LAB, admins: [alice], members: [{ leafIndex: 0, address: alice }] });
  expect(fromBase64url(one.mlsGroupId)).toHaveLength(32);
  expect(one.mlsGroupId).not.toBe(two.mlsGroupId);
  expect(await server.view(one.mlsGroupId)).toEqual(one);
  const bob = ocmAddress('bob@a.test');
  await expect(server.db.run((tx) => server.mls.createGroup(tx, { address: LAB, creator: bob }))).rejects.toThrow(
    'client.unknown',
  );
});

test('R-157 two servers hold the same group after a join and after each Commit, each time with a new Group Key', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob, added } = world;
  expect(added.facts).toMatchObject({ committer: alice, added: [bob], removed: [] });
  expect(await a.view(lab)).toMatchObject({ address: LAB, epoch: 1, admins: [alice] });
  expect(await b.view(lab)).toEqual(await a.view(lab));
  const keyOn = async ({ db, groups }: MlsServer) => toHex((await db.run((tx) => groups.lock(tx, lab))).groupKey);
  const keys = new Set([await keyOn(a)]);
  for (let epoch = 2; epoch < 5; epoch++) {
    const commit = await a.commit(lab, { committer: alice });
    expect(await b.follow(lab, commit)).toEqual(commit.facts);
    expect(await b.view(lab)).toEqual(await a.view(lab));
    expect((await a.view(lab)).epoch).toBe(epoch);
    expect(await keyOn(b)).toBe(await keyOn(a));
    keys.add(await keyOn(a));
  }
  expect(keys.size).toBe(4);
});

test('several users of one server go along with each Commit, and each can make the next', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const crew: OcmAddress[] = [];
  for (const name of ['carol', 'dave', 'erin']) {
    const member = await b.user(name, true);
    const commit = await a.commit(lab, { committer: alice, add: [await b.keyPackage(member)] });
    await b.follow(lab, commit);
    expect(await b.join(member, commit.welcome!)).toMatchObject({ view: await b.view(lab), ready: true });
    crew.push(member);
  }
  const admins = await a.commit(lab, { committer: alice, admins: [alice, ...crew] });
  await b.follow(lab, admins);
  // The leaf that judges is the first one, Bob's; the others only went along so far.
  for (const committer of [...crew, ...crew.toReversed()]) {
    const commit = await b.commit(lab, { committer });
    await a.follow(lab, commit);
    expect(await b.view(lab)).toEqual(await a.view(lab));
    await b.follow(lab, await a.commit(lab, { committer: alice }));
  }
  expect(await b.count('mls_leaf')).toBe(4);
  expect(await b.count('mls_group')).toBe(1);
});

test('R-019 a Commit has no effect until it is accepted, and none when it is dropped', async () => {
  await using world = await twoServers();
  const { a, lab, alice } = world;
  const before = await rows(a);
  const built = await build(a, lab, alice);
  expect(await a.view(lab)).toEqual(built.facts.before);
  expect(await a.db.run((tx) => a.mls.pending(tx, lab))).toBe(built.digest);
  await expect(build(a, lab, alice)).rejects.toThrow('commit.pending');
  await a.db.run((tx) => a.mls.dropPending(tx, lab));
  expect(await rows(a)).toBe(before);
  expect(await a.db.run((tx) => a.mls.pending(tx, lab))).toBeUndefined();
  await expect(a.db.run((tx) => a.mls.acceptPending(tx, lab, built.digest))).rejects.toThrow('commit.not-pending');
});

test('only the Commit that waits can be accepted, and only once', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const first = await build(a, lab, alice);
  await a.db.run((tx) => a.mls.dropPending(tx, lab));
  const second = await build(a, lab, alice);
  const accept = (digest: typeof first.digest) => a.db.run((tx) => a.mls.acceptPending(tx, lab, digest));
  await expect(accept(first.digest)).rejects.toThrow('commit.not-pending');
  expect((await accept(second.digest)).facts).toEqual(second.facts);
  await expect(accept(second.digest)).rejects.toThrow('commit.not-pending');
  await b.follow(lab, second);
  expect(await b.view(lab)).toEqual(await a.view(lab));
});

test('a Commit of ours that comes back is the one that waits', async () => {
  await using world = await twoServers();
  const { a, lab, alice } = world;
  const built = await build(a, lab, alice);
  expect(await a.follow(lab, built)).toEqual(built.facts);
  expect(await a.view(lab)).toEqual(built.facts.after);
});

test('a Commit of ours that lost is dropped when the winner is followed', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  await b.follow(lab, await a.commit(lab, { committer: alice, admins: [alice, bob] }));
  const lost = await build(b, lab, bob);
  const won = await a.commit(lab, { committer: alice });
  await b.follow(lab, won);
  expect(await b.db.run((tx) => b.mls.pending(tx, lab))).toBeUndefined();
  await expect(b.follow(lab, lost)).rejects.toThrow('commit.');
  expect(await b.view(lab)).toEqual(await a.view(lab));
});

test('a user who joined while a Commit of ours waited goes along when it is accepted', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await a.user('carol', true);
  const added = await a.commit(lab, { committer: alice, add: [await a.keyPackage(carol)], admins: [alice] });
  const waiting = await build(a, lab, alice);
  await a.join(carol, added.welcome!);
  await a.db.run((tx) => a.mls.acceptPending(tx, lab, waiting.digest));
  await b.follow(lab, added);
  await b.follow(lab, waiting);
  const appointed = await a.commit(lab, { committer: alice, admins: [alice, carol] });
  await b.follow(lab, appointed);
  await b.follow(lab, await a.commit(lab, { committer: carol }));
  expect(await b.view(lab)).toEqual(await a.view(lab));
});

test('R-004 R-158 a removed user loses the secrets, the last one of a server all that is held of the group', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  const carol = await b.user('carol', true);
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(carol)] });
  await b.follow(lab, added);
  await b.join(carol, added.welcome!);

  // Bob's leaf is the first one here: the other one has to judge the Commit that removes him.
  const one = await a.commit(lab, { committer: alice, remove: [bob] });
  expect(await b.follow(lab, one)).toEqual(one.facts);
  expect(await b.view(lab)).toEqual(await a.view(lab));
  const leaves = await b.db.run((tx) => tx.query('SELECT address FROM mls_leaf'));
  expect(leaves).toEqual([{ address: carol }]);

  const last = await a.commit(lab, { committer: alice, remove: [carol] });
  const facts = await b.follow(lab, last);
  expect(facts).toMatchObject({ removed: [carol], after: { epoch: last.facts.after.epoch } });
  expect(facts.after.members).toEqual(last.facts.after.members);
  for (const table of ['mls_group', 'mls_leaf', 'pending_commit']) expect(await b.count(table)).toBe(0);
  await expect(b.view(lab)).rejects.toThrow('mls.group-unknown');
});

test('a rejoin pair is one Remove and one Add, and brings the user back with a new leaf', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  const rejoin = [{ address: bob, keyPackage: (await b.keyPackage(bob)).keyPackage }];
  const commit = await a.commit(lab, { committer: alice, rejoin });
  expect(commit.facts).toMatchObject({ removed: [bob], added: [bob] });
  await b.follow(lab, commit);
  expect(await b.count('mls_group')).toBe(0);
  await b.join(bob, commit.welcome!);
  expect(await b.view(lab)).toEqual(await a.view(lab));
});

test('R-059 a self-removal is read, committed by reference and followed', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  const proposal = await b.db.run((tx) => b.mls.propose(tx, { mlsGroupId: lab, proposer: bob, wish: { remove: bob } }));
  const read = await a.db.run((tx) => a.mls.readProposal(tx, { mlsGroupId: lab, proposal }));
  expect(read).toMatchObject({ kind: 'remove-self', sender: bob, epoch: 1 });
  const commit = await a.commit(lab, { committer: alice, proposals: [proposal] });
  expect(commit.proposals).toEqual([proposal]);
  expect(commit.facts.removed).toEqual([bob]);
  await b.follow(lab, commit);
  expect(await b.count('mls_group')).toBe(0);
  await expect(
    a.db.run((tx) => a.mls.propose(tx, { mlsGroupId: lab, proposer: bob, wish: { remove: bob } })),
  ).rejects.toThrow('mls.no-leaf');
});

test('what is refused leaves every row as it was', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice, bob } = world;
  const commit = await a.commit(lab, { committer: alice });
  const before = await rows(b);
  for (const at of [10, commit.commit.length - 40, commit.commit.length - 1]) {
    const changed = commit.commit.slice();
    changed[at]! ^= 1;
    await expect(b.follow(lab, { ...commit, commit: changed })).rejects.toMatchObject({ name: 'Fault' });
  }
  await expect(build(b, lab, bob)).rejects.toThrow('commit.not-admin');
  await expect(build(a, lab, bob)).rejects.toThrow('mls.no-leaf');
  await expect(build(a, lab, alice, { remove: [ocmAddress('zoe@c.test')] })).rejects.toThrow('mls.not-member');
  await expect(b.follow(lab, { ...commit, proposals: [commit.commit] })).rejects.toThrow('commit.proposal-refused');
  expect(await rows(b)).toBe(before);
  await b.follow(lab, commit);
  expect(await b.view(lab)).toEqual(await a.view(lab));
});

test('R-218 a KeyPackage is judged again when it is committed', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const carol = await b.user('carol', true);
  const given = await b.keyPackage(carol);
  const as = (address: OcmAddress, keyPackage: Uint8Array) => build(a, lab, alice, { add: [{ address, keyPackage }] });
  await expect(as(ocmAddress('dave@b.test'), given.keyPackage)).rejects.toThrow('key-package.other-user');
  await expect(as(carol, given.keyPackage.slice(1))).rejects.toThrow('codec.malformed');
  a.clock.advance(31 * DAY);
  await expect(as(carol, given.keyPackage)).rejects.toThrow('key-package.not-valid-now');
});

class Crash extends Error {}

test('a crash before the end of a transaction changes nothing, and the same can be done again', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const crashing = async (
    server: MlsServer,
    work: (tx: Parameters<Parameters<typeof a.db.run>[0]>[0]) => Promise<unknown>,
  ) => {
    const before = await rows(server);
    const run = server.db.run(async (tx) => {
      await work(tx);
      throw new Crash();
    });
    await expect(run).rejects.toThrow(Crash);
    expect(await rows(server)).toBe(before);
  };
  const carol = await b.user('carol', true);
  const add = [await b.keyPackage(carol)];
  await crashing(a, (tx) => a.mls.buildCommit(tx, { mlsGroupId: lab, committer: alice, add, remove: [] }));
  const built = await build(a, lab, alice, { add });
  await crashing(a, (tx) => a.mls.acceptPending(tx, lab, built.digest));
  await a.db.run((tx) => a.mls.acceptPending(tx, lab, built.digest));
  await crashing(b, (tx) => b.mls.advance(tx, { mlsGroupId: lab, ...built }));
  await b.follow(lab, built);
  await crashing(b, (tx) => b.mls.join(tx, { userId: carol, welcome: built.welcome! }));
  expect((await b.join(carol, built.welcome!)).ready).toBe(true);
  expect(await b.view(lab)).toEqual(await a.view(lab));
});

test('Commits that are made or followed at the same time are made or followed one after the other', async () => {
  await using world = await twoServers();
  const { a, b, lab, alice } = world;
  const built = await Promise.allSettled([build(a, lab, alice), build(a, lab, alice), build(a, lab, alice)]);
  expect(built.map(codeOf).sort()).toEqual(['commit.pending', 'commit.pending', 'done']);
  const digest = (await a.db.run((tx) => a.mls.pending(tx, lab)))!;
  const accept = () => a.db.run((tx) => a.mls.acceptPending(tx, lab, digest));
  const accepted = await Promise.allSettled([accept(), accept(), accept()]);
  expect(accepted.map(codeOf).sort()).toEqual(['commit.not-pending', 'commit.not-pending', 'done']);
  const commit = built.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))[0]!;
  const followed = await Promise.allSettled([b.follow(lab, commit), b.follow(lab, commit), b.follow(lab, commit)]);
  expect(followed.map(codeOf).sort()).toEqual(['commit.wrong-epoch', 'commit.wrong-epoch', 'done']);
  expect(await b.view(lab)).toEqual(await a.view(lab));
});

test('no secret of a group lies open in the database', async () => {
  await using world = await twoServers();
  const { a, lab, alice } = world;
  await build(a, lab, alice);
  const secrets = await a.db.run(async (tx) => {
    const { common, groupKey, leaves } = await a.groups.lock(tx, lab);
    const { epochAuthenticator: _, ...keys } = common.keySchedule;
    const own = leaves.flatMap(({ secrets: { privatePath, signaturePrivateKey } }) => [
      signaturePrivateKey,
      ...Object.values(privatePath.privateKeys),
    ]);
    const ratchets = common.secretTree.map(({ application }) => application.secret);
    return [groupKey, ...Object.values(keys), ...own, ...ratchets].filter(({ length }) => length > 0);
  });
  expect(secrets.length).toBeGreaterThan(8);
  const dump = await a.db.run(async (tx) => {
    const texts: string[] = [];
    for (const table of ['mls_client', 'key_package', 'mls_group', 'mls_leaf', 'pending_commit']) {
      const all: Record<string, unknown>[] = await tx.query(`SELECT * FROM ${table}`);
      for (const row of all)
        for (const cell of Object.values(row)) texts.push(Buffer.isBuffer(cell) ? toHex(cell) : '');
    }
    return texts.join();
  });
  for (const secret of secrets) expect(dump).not.toContain(toHex(secret));
});

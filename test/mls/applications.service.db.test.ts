import { expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { epoch } from '../../src/kernel/ids.js';
import { GROUP_KEY_KEPT_MS } from '../../src/mls/earlier-group-key.repository.js';
import { LAB, twoServers } from './mls-world.js';

const opened = (said: string, generation: number, rest: object = {}) => ({
  kind: 'opened',
  message: expect.objectContaining({ generation, data: new Uint8Array(utf8(said)), ...rest }) as unknown,
});

/** Two servers, and what one says to the other. */
async function talk() {
  const world = await twoServers();
  const { a, b, lab } = world;
  const say = async (...said: string[]) => {
    const sealed = await a.db.run((tx) => a.applications.seal(tx, lab, said.map(utf8)));
    return sealed.map(({ message }) => message);
  };
  const hear = (message: Uint8Array, by = b) => by.db.run((tx) => by.applications.open(tx, lab, message));
  const commit = async () => {
    const made = await a.commit(lab, { committer: world.alice });
    await b.follow(lab, made);
  };
  return { ...world, say, hear, commit };
}

test('R-097 R-113 what one server seals in its epoch the other opens, once, with who sent it and when', async () => {
  const { a, say, hear, alice, lab, ...world } = await talk();
  await using _ = world;
  const [first, second] = await say('first', 'second');
  expect(a.applications.readMessage(first!)).toEqual({ mlsGroupId: lab, epoch: epoch(1) });
  expect(await hear(first!)).toMatchObject(opened('first', 0, { epoch: 1, sender: alice }));
  expect(await hear(first!)).toEqual({ kind: 'spent' });
  expect(await hear(second!)).toMatchObject(opened('second', 1));
  const [third] = await say('third');
  expect(await hear(third!)).toMatchObject(opened('third', 2));
});

test('R-123 messages that never came are no error, and open when they come after all', async () => {
  const { say, hear, ...world } = await talk();
  await using _ = world;
  const sent = await say('zero', 'one', 'two', 'three');
  expect(await hear(sent[3]!)).toMatchObject(opened('three', 3));
  expect(await hear(sent[1]!)).toMatchObject(opened('one', 1));
  expect(await hear(sent[1]!)).toEqual({ kind: 'spent' });
});

test('R-124 a message is at most 1000 generations ahead, and one that is further moves nothing', async () => {
  const { say, hear, ...world } = await talk();
  await using _ = world;
  const sent = await say(...Array.from({ length: 1003 }, (_, index) => String(index)));
  await expect(hear(sent[1001]!)).rejects.toMatchObject({ code: 'application.too-far', facts: { behind: 1001 } });
  expect(await hear(sent[0]!)).toMatchObject(opened('0', 0));
  await expect(hear(sent[1002]!)).rejects.toMatchObject({ code: 'application.too-far' });
  expect(await hear(sent[1001]!)).toMatchObject(opened('1001', 1001));
});

test('R-122 of a later epoch it is early, of the one before it opens still, of an older one it is stale', async () => {
  const { say, hear, commit, a, b, lab, alice, ...world } = await talk();
  await using _ = world;
  const [old, older] = await say('old', 'older');
  const ahead = await a.commit(lab, { committer: alice });
  const [early] = await say('early');
  expect(await hear(early!)).toEqual({ kind: 'early', epoch: 2 });
  await b.follow(lab, ahead);
  expect(await hear(old!)).toMatchObject(opened('old', 0, { epoch: 1 }));
  expect(await hear(early!)).toMatchObject(opened('early', 0, { epoch: 2 }));
  await commit();
  expect(await hear(older!)).toEqual({ kind: 'stale' });
});

test('a message that was changed, or comes back to where it was sent, is refused and moves nothing', async () => {
  const { a, say, hear, ...world } = await talk();
  await using _ = world;
  const [message] = await say('something');
  for (let at = message!.length - 1; at > message!.length - 40; at -= 7) {
    const changed = message!.slice();
    changed[at]! ^= 1;
    await expect(hear(changed)).rejects.toMatchObject({ code: 'application.unopenable' });
  }
  await expect(hear(message!, a)).rejects.toMatchObject({ code: 'application.own-leaf' });
  await expect(hear(message!.subarray(0, 20))).rejects.toMatchObject({ code: 'codec.malformed' });
  expect(await hear(message!)).toMatchObject(opened('something', 0));
});

test('R-179 D-19 one leaf of a server speaks in an epoch: the leftmost, even when one to its left comes late', async () => {
  const { a, b, lab, alice, bob, hear, ...world } = await talk();
  await using _ = world;
  const [bea, ben] = [await b.user('bea', true), await b.user('ben', true)];
  const speaker = async () => (await b.db.run((tx) => b.applications.seal(tx, lab, [utf8('x')])))[0]!;
  const emptied = await a.commit(lab, {
    committer: alice,
    remove: [bob],
    add: [await b.keyPackage(bea), await b.keyPackage(ben)],
  });
  await b.follow(lab, emptied);
  expect(await b.count('mls_leaf')).toBe(0);
  await b.join(ben, emptied.welcome!);
  const first = await speaker();
  expect(first).toMatchObject({ speaker: ben, generation: 0 });
  await b.join(bea, emptied.welcome!);
  expect(await speaker()).toMatchObject({ speaker: ben, generation: 1 });
  expect(await hear(first.message, a)).toMatchObject(opened('x', 0, { sender: ben }));
  await b.follow(lab, await a.commit(lab, { committer: alice }));
  expect((await speaker()).speaker).toBe(bea);
});

test('R-145 R-144 nothing is said in a group that has ended with a ReInit', async () => {
  const { a, lab, alice, say, ...world } = await talk();
  await using _ = world;
  await a.commit(lab, { committer: alice, reinit: true });
  await expect(say('too late')).rejects.toMatchObject({ code: 'group.closed' });
});

test('R-174 R-175 the Group Key of an epoch stays for an hour after it, and no longer than anything wrapped with it', async () => {
  const { a, b, lab, alice, bob, commit, ...world } = await talk();
  await using _ = world;
  const key = async (at: number) =>
    (await b.db.run((tx) => b.applications.wrappingOf(tx, { mlsGroupId: lab, address: LAB }, epoch(at))))?.groupKey;
  const keys = [(await key(1))!];
  for (const at of [2, 3]) {
    await commit();
    keys.push((await key(at))!);
  }
  expect(new Set(keys.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(3);
  expect(await key(1)).toEqual(keys[0]);
  expect(await key(2)).toEqual(keys[1]);
  await b.db.run((tx) => b.applications.forgetKeysBefore(tx, lab, epoch(2)));
  expect(await key(1)).toBeUndefined();
  expect(await key(2)).toEqual(keys[1]);
  const over = new Date(b.clock.now().getTime() + GROUP_KEY_KEPT_MS);
  await b.db.run((tx) => b.applications.forgetOldKeys(tx, new Date(over.getTime() - 1)));
  expect(await key(2)).toEqual(keys[1]);
  await b.db.run((tx) => b.applications.forgetOldKeys(tx, over));
  expect(await key(2)).toBeUndefined();
  expect(await key(3)).toEqual(keys[2]);
  await commit();
  await b.follow(lab, await a.commit(lab, { committer: alice, remove: [bob] }));
  for (const at of [3, 4]) expect(await key(at)).toBeUndefined();
});

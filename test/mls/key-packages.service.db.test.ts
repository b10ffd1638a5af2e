import { expect, test } from 'vitest';
import { host, ocmAddress } from '../../src/kernel/address.js';
import { toHex } from '../../src/kernel/bytes.js';
import { PER_SERVER, PER_SERVER_AND_USER, STOCK } from '../../src/mls/key-package-limits.js';
import { checkKeyPackage, readKeyPackage } from '../../src/mls/key-package.js';
import { LAST_RESORT_EXTENSION } from '../../src/mls/own-key-package.js';
import { DAY, MlsServer } from './mls-world.js';

const B = host('b.test');
const isLastResort = (message: Uint8Array) =>
  readKeyPackage(message).extensions.some(({ extensionType }) => extensionType === LAST_RESORT_EXTENSION);

const given = async (server: MlsServer, user: Parameters<MlsServer['keyPackages']['handOut']>[0], to = B) => {
  const out = await server.keyPackages.handOut(user, to);
  if (out.kind !== 'given') throw new Error(out.kind);
  return out.keyPackage;
};

test('R-040 R-043 a user has several KeyPackages ahead, all signed with the same key', async () => {
  await using server = await MlsServer.of('a.test');
  const alice = await server.user('alice', true);
  const all = [];
  for (let i = 0; i < STOCK; i++) {
    all.push(
      await checkKeyPackage(await given(server, alice), { userId: alice, now: server.clock.now() }, server.suite),
    );
  }
  expect(new Set(all.map(({ initKey }) => toHex(initKey))).size).toBe(STOCK);
  expect(new Set(all.map(({ leafNode }) => toHex(leafNode.signaturePublicKey))).size).toBe(1);
  expect(all.some(({ extensions }) => extensions.length > 0)).toBe(false);
});

test('R-011 users have signing keys of their own', async () => {
  await using server = await MlsServer.of('a.test');
  const keys = [];
  for (const name of ['alice', 'bob']) {
    const message = await given(server, await server.user(name));
    keys.push(toHex(readKeyPackage(message).leafNode.signaturePublicKey));
  }
  expect(keys[0]).not.toBe(keys[1]);
});

test('R-041 R-042 servers that ask at the same time never get the same single-use KeyPackage', async () => {
  await using server = await MlsServer.of('a.test');
  const alice = await server.user('alice', true);
  const outs = await Promise.all(
    Array.from({ length: 2 * STOCK }, (_, i) => given(server, alice, host(`peer${i}.test`))),
  );
  const singles = outs.filter((message) => !isLastResort(message)).map(toHex);
  expect(new Set(singles).size).toBe(singles.length);
  expect(singles.length).toBeLessThanOrEqual(STOCK);
  // Whoever was passed over while others held the rows got the last resort; what is left is given now.
  while (!isLastResort(await given(server, alice))) singles.push('later');
  expect(singles.length).toBe(STOCK);
});

test('R-044 the last-resort KeyPackage is given when the others are exhausted, again and again', async () => {
  await using server = await MlsServer.of('a.test');
  const alice = await server.user('alice');
  const [one, two] = [await given(server, alice), await given(server, alice)];
  expect([isLastResort(one), toHex(one)]).toEqual([true, toHex(two)]);
  while (await server.keyPackages.replenish());
  expect(isLastResort(await given(server, alice))).toBe(false);
});

test('an unknown user looks like one whose KeyPackages are exhausted, and like one of another domain', async () => {
  await using server = await MlsServer.of('a.test');
  const alice = await server.user('alice');
  server.clock.advance(40 * DAY);
  const answers = [];
  for (const user of [alice, ocmAddress('nobody@a.test'), ocmAddress('alice@elsewhere.test')]) {
    answers.push(await server.keyPackages.handOut(user, B));
  }
  expect(answers).toEqual([{ kind: 'none' }, { kind: 'none' }, { kind: 'none' }]);
});

test('what nears its end is replaced, what has ended is removed', async () => {
  await using server = await MlsServer.of('a.test');
  const alice = await server.user('alice', true);
  server.clock.advance(25 * DAY);
  expect(await server.keyPackages.replenish()).toBe(true);
  expect(await server.keyPackages.replenish()).toBe(false);
  const count = () => server.db.run((tx) => tx.query(`SELECT count(*)::int AS n FROM key_package`));
  expect(await count()).toEqual([{ n: 2 * (STOCK + 1) }]);
  server.clock.advance(13 * DAY);
  await server.keyPackages.tidy();
  expect(await count()).toEqual([{ n: STOCK + 1 }]);
  const keyPackage = readKeyPackage(await given(server, alice));
  expect(Number(keyPackage.leafNode.lifetime.notAfter) * 1000).toBeGreaterThan(server.clock.now().getTime());
});

test('R-045 one server cannot exhaust a user, and is told when to come again', async () => {
  await using server = await MlsServer.of('a.test');
  const alice = await server.user('alice');
  for (let i = 0; i < PER_SERVER_AND_USER.burst; i++) await given(server, alice);
  const limited = await server.keyPackages.handOut(alice, B);
  expect(limited).toEqual({ kind: 'limited', waitMs: PER_SERVER_AND_USER.everyMs });
  expect((await server.keyPackages.handOut(alice, host('c.test'))).kind).toBe('given');
  server.clock.advance(PER_SERVER_AND_USER.everyMs);
  expect((await server.keyPackages.handOut(alice, B)).kind).toBe('given');
  expect((await server.keyPackages.handOut(alice, B)).kind).toBe('limited');
});

test('R-037 trying out names ends soon, while many users of one server can be invited at one go', async () => {
  await using server = await MlsServer.of('a.test');
  let tried = 0;
  while ((await server.keyPackages.handOut(ocmAddress(`name${tried}@a.test`), B)).kind === 'none') tried++;
  expect(tried).toBeLessThan(PER_SERVER.burst / 40);
  // Another server is not held up by it.
  const alice = await server.user('alice');
  expect((await server.keyPackages.handOut(alice, host('c.test'))).kind).toBe('given');
});

test('the stock is filled once when two replicas fill it at the same time', async () => {
  await using server = await MlsServer.of('a.test');
  await server.user('alice');
  await Promise.all([server.keyPackages.replenish(), server.keyPackages.replenish(), server.keyPackages.replenish()]);
  while (await server.keyPackages.replenish());
  expect(await server.db.run((tx) => server.keyPackageRows.count(tx))).toEqual(
    expect.arrayContaining([
      { kind: 'single', count: STOCK },
      { kind: 'last-resort', count: 1 },
    ]),
  );
});

test('the stock is seen in the metrics', async () => {
  await using server = await MlsServer.of('a.test');
  await server.user('alice', true);
  const text = await server.metrics.text();
  expect(text).toContain(`covey_key_packages{kind="single"} ${STOCK}`);
  expect(text).toContain(`covey_key_packages{kind="last-resort"} 1`);
});

import { expect, test } from 'vitest';
import { type OcmAddress, ocmAddress } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { Fault } from '../../src/kernel/fault.js';
import { KeyPackageClient } from '../../src/mls/key-package.client.js';
import { keyPackageAnswer } from '../../src/mls/key-package-answer.js';
import type { PeerClient } from '../../src/ocm/peer.client.js';
import { Config } from '../../src/platform/config.js';
import { DAY, MlsServer } from './mls-world.js';

/** A client of b.test whose peers answer what the test says; that answers are signed is for `PeerClient` to see to. */
function clientOf(server: MlsServer, answer: (path: string) => { status: number; body?: object }) {
  const peers = {
    getSigned: async (_: unknown, path: string) => {
      const { status, body } = answer(path);
      return { status, headers: {}, body: body ? utf8(JSON.stringify(body)) : new Uint8Array() };
    },
  };
  const config = new Config({ domain: 'b.test' } as ConstructorParameters<typeof Config>[0]);
  return new KeyPackageClient(config, server.clock, peers as unknown as PeerClient, server.keyPackages, server.suite);
}

const refusal = async (client: KeyPackageClient, userId: OcmAddress) => {
  const error: unknown = await client.fetch(userId).catch((one: unknown) => one);
  return error instanceof Fault ? { code: error.code, retry: error.retry } : error;
};

test('R-218 a KeyPackage that passes all checks is had, by the address that was asked for', async () => {
  await using a = await MlsServer.of('a.test');
  const alice = await a.user('odd+name&more', true);
  const { keyPackage } = await a.keyPackage(alice);
  const client = clientOf(a, (path) => {
    expect(path).toBe('/mls-key-packages?userId=odd%2Bname%26more%40a.test');
    return { status: 200, body: keyPackageAnswer(alice, keyPackage) };
  });
  expect(await client.fetch(alice)).toEqual(keyPackage);
});

test('what the other server says becomes a fault that tells whether to ask again', async () => {
  await using a = await MlsServer.of('a.test');
  const alice = ocmAddress('alice@a.test');
  const says = (status: number) =>
    refusal(
      clientOf(a, () => ({ status })),
      alice,
    );
  expect(await says(404)).toEqual({ code: 'key-package.none', retry: false });
  for (const status of [400, 401, 403, 429, 500, 503]) {
    expect(await says(status)).toEqual({ code: 'key-package.refused', retry: true });
  }
  const empty = clientOf(a, () => ({ status: 200, body: { userId: alice, keyPackages: [] } }));
  expect(await refusal(empty, alice)).toEqual({ code: 'key-package.none', retry: false });
  const odd = clientOf(a, () => ({ status: 200, body: {} }));
  expect(await refusal(odd, alice)).toEqual({ code: 'key-package.answer-malformed', retry: false });
});

test('R-215 another user of the same server is not taken for the one that was asked for', async () => {
  await using a = await MlsServer.of('a.test');
  const [alice, mallory] = [ocmAddress('alice@a.test'), await a.user('mallory', true)];
  const { keyPackage } = await a.keyPackage(mallory);
  const client = clientOf(a, () => ({ status: 200, body: keyPackageAnswer(alice, keyPackage) }));
  expect(await refusal(client, alice)).toEqual({ code: 'key-package.other-user', retry: false });
});

test('R-215 a server cannot give a KeyPackage for a user of another server', async () => {
  await using a = await MlsServer.of('a.test');
  const alice = await a.user('alice', true);
  const { keyPackage } = await a.keyPackage(alice);
  const elsewhere = ocmAddress('alice@evil.test');
  const client = clientOf(a, () => ({ status: 200, body: keyPackageAnswer(elsewhere, keyPackage) }));
  expect(await refusal(client, elsewhere)).toEqual({ code: 'key-package.other-user', retry: false });
});

test('the first good one of several is taken, and if none is good the first one says why', async () => {
  await using a = await MlsServer.of('a.test');
  const alice = await a.user('alice', true);
  const expired = await a.keyPackage(alice);
  a.clock.advance(31 * DAY);
  while (await a.keyPackages.replenish());
  const good = await a.keyPackage(alice);
  const entries = (...messages: Uint8Array[]) => ({
    userId: alice,
    keyPackages: messages.flatMap((message) => keyPackageAnswer(alice, message).keyPackages),
  });
  const cut = good.keyPackage.slice(0, -1);
  const offering = (...messages: Uint8Array[]) => clientOf(a, () => ({ status: 200, body: entries(...messages) }));
  expect(await offering(expired.keyPackage, cut, good.keyPackage).fetch(alice)).toEqual(good.keyPackage);
  expect(await refusal(offering(expired.keyPackage, cut), alice)).toMatchObject({ code: 'key-package.not-valid-now' });
  expect(await refusal(offering(cut, expired.keyPackage), alice)).toMatchObject({ code: 'codec.malformed' });
});

test('a user of this server is asked for nowhere else', async () => {
  await using b = await MlsServer.of('b.test');
  const bob = await b.user('bob', true);
  const client = clientOf(b, () => {
    throw new Error('the network was used');
  });
  const [one, two] = [await client.fetch(bob), await client.fetch(bob)];
  expect(one).not.toEqual(two);
  expect(await refusal(client, ocmAddress('nobody@b.test'))).toEqual({ code: 'key-package.none', retry: false });
});

import { expect, test } from 'vitest';
import { host, ocmAddress } from '../../src/kernel/address.js';
import { toBase64url } from '../../src/kernel/bytes.js';
import { KeyPackageClient } from '../../src/mls/key-package.client.js';
import { PER_SERVER_AND_USER } from '../../src/mls/key-package-limits.js';
import { PeerClient } from '../../src/ocm/peer.client.js';
import { World } from '../support/world.js';

const [A, B] = [host('a.test'), host('b.test')];
const alice = ocmAddress('alice@a.test');
const PATH = '/ocm/mls-key-packages';

async function twoServers() {
  const world = await World.of('a.test', 'b.test');
  await world.users('alice@a.test');
  const peers = world.server('b.test').get(PeerClient);
  const ask = async (query: string) => {
    const { status, headers, body } = await peers.getSigned(A, `/mls-key-packages${query}`);
    return { status, headers, body: JSON.parse(Buffer.from(body).toString()) as Record<string, unknown> };
  };
  return { world, ask, client: world.server('b.test').get(KeyPackageClient) };
}

test('R-012 R-034 R-035 R-214 a KeyPackage is had from another server, signed both ways', async () => {
  const { world, client, ask } = await twoServers();
  await using _ = world;
  const keyPackage = await client.fetch(alice);
  const [exchange] = world.network.sent({ what: PATH });
  expect(exchange!.request.headers).toHaveProperty('signature');
  expect(exchange!.answer!.headers).toHaveProperty('signature');
  expect(JSON.parse(Buffer.from(exchange!.answer!.body).toString())).toEqual({
    userId: alice,
    keyPackages: [{ mediaType: 'message/mls', encoding: 'base64url', content: toBase64url(keyPackage) }],
  });
  expect((await ask('?userId=alice%40a.test&suite=1')).status).toBe(200);
});

test('R-214 an answer that was changed on the way, or is not signed, is refused', async () => {
  const { world, client } = await twoServers();
  await using _ = world;
  const serve = world.network['places'].get(A)!.serve!;
  const strip = new Set(['signature', 'signature-input']);
  const changes = [
    (body: Uint8Array, headers: Record<string, string>) => ({ body, headers: without(headers, strip) }),
    (body: Uint8Array, headers: Record<string, string>) => ({
      body: body.map((one, at) => (at === 200 ? one ^ 1 : one)),
      headers,
    }),
  ];
  for (const change of changes) {
    world.network.attach(A, async (request, from) => {
      const answer = await serve(request, from);
      return answer && request.url.includes(PATH) ? { ...answer, ...change(answer.body, answer.headers) } : answer;
    });
    await expect(client.fetch(alice)).rejects.toThrow('peer.answer-unverified');
  }
});

const without = (headers: Record<string, string>, names: Set<string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.has(name)));

test('R-036 a request that is not signed, or is no GET, is refused', async () => {
  const { world } = await twoServers();
  await using _ = world;
  const network = world.network.networkOf(B, () => true);
  const request = {
    url: `https://a.test${PATH}?userId=alice%40a.test`,
    headers: {},
    timeoutMs: 1000,
    maxBytes: 65_536,
  };
  expect((await network.fetch({ ...request, method: 'GET' })).status).toBe(401);
  expect((await network.fetch({ ...request, method: 'POST', body: new Uint8Array([1]) })).status).toBeGreaterThan(400);
});

test('R-037 an unknown user, one of another server and one without KeyPackages are answered alike', async () => {
  const { world, ask } = await twoServers();
  await using _ = world;
  await world.server('a.test').query('DELETE FROM key_package');
  const answers = [];
  for (const userId of ['alice', 'nobody']) answers.push(await ask(`?userId=${userId}%40a.test`));
  answers.push(await ask('?userId=alice%40elsewhere.test'));
  for (const { status, body } of answers) {
    const { request: _id, ...rest } = body;
    expect({ status, rest }).toEqual({
      status: 404,
      rest: { code: 'key-package.none', message: 'KEY_PACKAGE_NONE' },
    });
  }
});

test('a question without a user, with two, or with what is no address is malformed', async () => {
  const { world, ask } = await twoServers();
  await using _ = world;
  expect(await ask('')).toMatchObject({ status: 400, body: { code: 'request.malformed' } });
  expect(await ask('?userId=a%40a.test&userId=b%40a.test')).toMatchObject({ status: 400 });
  for (const bad of ['alice', '%40a.test', 'alice%40', 'a%00%40a.test', `${'a'.repeat(600)}%40a.test`]) {
    expect(await ask(`?userId=${bad}`)).toMatchObject({ status: 400, body: { code: 'address.malformed' } });
  }
});

test('R-045 who asks too often is told to wait', async () => {
  const { world, ask } = await twoServers();
  await using _ = world;
  for (let i = 0; i < PER_SERVER_AND_USER.burst; i++) {
    expect((await ask('?userId=alice%40a.test')).status).toBe(200);
    world.clock.advance(1);
  }
  const limited = await ask('?userId=alice%40a.test');
  expect(limited).toMatchObject({ status: 429, body: { code: 'key-package.limited' } });
  expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
  expect(limited.body['retryAfter']).toBeGreaterThan(1);
});

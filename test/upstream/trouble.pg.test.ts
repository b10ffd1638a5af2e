import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { House } from './house.js';
import { PLATFORM_DOCUMENT, raw, StandIn } from './stand-in.js';

const MiB = 1024 * 1024;
const LIMIT = 65_536;

let house: House;
beforeAll(async () => {
  house = await House.open({ COVEY_UPSTREAM_TIMEOUT: '1', COVEY_BODY_LIMIT: String(LIMIT) });
});
afterAll(() => house[Symbol.asyncDispose]());
afterEach(() => {
  house.platform.arrived.length = 0;
  house.platform.document = PLATFORM_DOCUMENT;
  house.platform.answer = (_, response) => response.writeHead(201).end('{}');
});

const share = () => house.json('POST', '/ocm/shares', { shareType: 'user' });
const discovery = async () => (await house.json('GET', '/.well-known/ocm')).body;
const kids = async () =>
  ((await house.json('GET', '/ocm/jwks')).body['keys'] as { kid: string }[]).map(({ kid }) => kid);

test('a platform that is down is 502, and what is ours goes on', async () => {
  await share();
  await house.platform.stop();
  expect(await share()).toMatchObject({
    status: 502,
    body: { code: 'upstream.unreachable', message: 'UPSTREAM_UNREACHABLE' },
  });
  expect((await house.json('POST', '/ocm/shares', { shareType: 'federation' })).status).toBe(401);
  await house.platform.start();
  expect((await share()).status).toBe(201);
});

test('a platform that does not answer is 504', async () => {
  house.platform.answer = () => undefined;
  expect(await share()).toMatchObject({ status: 504, body: { code: 'upstream.timeout' } });
});

test('an answer that breaks off breaks off, and is not made to look whole', async () => {
  house.platform.answer = (_, response) => {
    response.writeHead(200).write('12345', () => response.destroy());
  };
  const { status, body } = await raw(house.port, head('POST', '/ocm/shares'), 'Content-Length: 2\r\n\r\n{}');
  expect([status, body.toString()]).toEqual([200, '5\r\n12345\r\n']);
});

test('an answer of many megabytes goes through whole while memory stays flat, also when nobody reads it for a while', async () => {
  const whole = 256;
  const block = Buffer.alloc(MiB, 7);
  let sent = 0;
  house.platform.answer = (_, response) => {
    const more = (): void => {
      while (sent < whole) {
        sent++;
        if (!response.write(block)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  };
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  let most = 0;
  let length = 0;
  const asking = request({ host: '127.0.0.1', port: house.port, path: '/ocm/large', headers: { host: 'b.test' } });
  asking.end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  await vi.waitUntil(() => sent > 0);
  for await (const part of answer) {
    if (length === 0) expect(sent).toBeLessThan(whole / 2);
    if (Math.floor(length / (16 * MiB)) < Math.floor((length += (part as Buffer).length) / (16 * MiB)))
      most = Math.max(most, held());
  }
  expect(length).toBe(whole * MiB);
  expect(most - before).toBeLessThan(48 * MiB);
});

test('bodies in chunks arrive in chunks, and on paths of the platform before they are whole', async () => {
  const chunked = ['Transfer-Encoding: chunked\r\n\r\n', '3\r\n{"a\r\n', '4\r\n":1}\r\n', '0\r\n\r\n'];
  expect((await raw(house.port, head('POST', '/ocm/shares'), ...chunked)).status).toBe(201);
  const { fields, body } = house.platform.last;
  expect(body.toString()).toBe('{"a":1}');
  expect(fields.map((field) => field.toLowerCase())).toContain('transfer-encoding');
  expect(fields.map((field) => field.toLowerCase())).not.toContain('content-length');
});

test.each(['/ocm/shares', '/ocm/other'])(
  '%s: a body larger than the limit is refused, announced or not',
  async (path) => {
    const body = Buffer.alloc(LIMIT + 1, 0x20);
    const announced = await raw(house.port, head('POST', path), `Content-Length: ${body.length}\r\n\r\n`);
    expect([announced.status, house.platform.arrived]).toEqual([413, []]);
    const chunk = [`Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`, body, '\r\n0\r\n\r\n'];
    expect((await raw(house.port, head('POST', path), ...chunk)).status).toBe(413);
    expect(house.platform.arrived).toEqual([]);
    expect((await house.ask('POST', path, [], body.subarray(1))).status).toBe(201);
    expect(house.platform.last.body).toEqual(body.subarray(1));
  },
);

test('a body that breaks off reaches nobody', async () => {
  const socket = connect(house.port, '127.0.0.1');
  socket.write(`${head('POST', '/ocm/shares')}Content-Length: 10\r\n\r\n{}`);
  await once(socket, 'connect');
  socket.destroy();
  await share();
  expect(house.platform.arrived.filter(({ url }) => url.endsWith('/shares'))).toHaveLength(1);
});

test('the documents are joined, read anew after a while, and kept while the platform is down or talks nonsense', async () => {
  house.platform.keys = [{ kid: 'theirs', alg: 'Ed25519', kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }];
  const again = () => house.world.clock.advance(300_000);
  const isNow = (provider: string) => vi.waitUntil(async () => (await discovery())['provider'] === provider);
  house.platform.document = { ...PLATFORM_DOCUMENT, provider: 'one' };
  again();
  await isNow('one');
  expect(await discovery()).toMatchObject({
    endPoint: 'https://b.test/ocm',
    inviteAcceptDialog: PLATFORM_DOCUMENT.inviteAcceptDialog,
  });
  expect(await kids()).toEqual(expect.arrayContaining(['theirs', expect.stringMatching(/^b\.test#/)]));
  house.platform.document = { ...PLATFORM_DOCUMENT, provider: 'two' };
  expect(await discovery()).toMatchObject({ provider: 'one' });
  again();
  await isNow('two');
  for (const nonsense of [
    '<html>',
    '{"enabled":true}',
    { ...PLATFORM_DOCUMENT, endPoint: 7 },
    `"${'x'.repeat(2 * MiB)}"`,
  ]) {
    house.platform.arrived.length = 0;
    house.platform.document = nonsense;
    again();
    await discovery();
    await vi.waitUntil(() => house.platform.arrived.length > 0);
    expect(await discovery()).toMatchObject({ provider: 'two' });
  }
  await house.platform.stop();
  again();
  expect(await discovery()).toMatchObject({ provider: 'two' });
  expect(await kids()).toContain('theirs');
  await house.platform.start();
});

test('at a cold start with the platform down our own document stands alone, until it is back', async () => {
  await using platform = new StandIn();
  await platform.start();
  const { origin } = platform;
  await platform.stop();
  const server = house.world.server('a.test');
  await server.restart({ COVEY_UPSTREAM: origin });
  const said = async () => {
    const { body } = await house.world.network
      .networkOf(house.world.server('b.test').host, () => true)
      .fetch({ method: 'GET', url: 'https://a.test/.well-known/ocm', headers: {}, timeoutMs: 1000, maxBytes: MiB });
    return JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>;
  };
  expect(await said()).toMatchObject({ provider: 'Covey', criteria: ['must-use-http-sig'] });
  platform.document = { ...PLATFORM_DOCUMENT, endPoint: 'https://a.test/ocm' };
  await platform.start();
  expect(await said()).toMatchObject({ provider: 'Covey' });
  expect(platform.arrived).toEqual([]);
  house.world.clock.advance(15_000);
  expect(await said()).toMatchObject({ provider: 'Cloud of B' });
});

const head = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n`;

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { House } from './house.js';
import { raw } from './stand-in.js';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house[Symbol.asyncDispose]());
beforeEach(() => {
  house.platform.arrived.length = 0;
  house.platform.answer = (_, response) => response.writeHead(201).end('{}');
});

const USER_SHARE = '{ "shareType":"user",\t"shareWith" : "bob@b.test", "n\\u00e4me": "\u00e4" }\n';
const SIGNED = [
  ['Signature-Input', 'ocm=("@method" "@target-uri");created=1;keyid="a.test#k"'],
  ['signature', 'ocm=:AAAA:'],
  ['Content-Digest', 'sha-256=:AAAA:'],
  ['Date', 'Mon, 04 Jan 2027 09:00:00 GMT'],
  ['X-Twice', 'one'],
  ['X-Twice', 'two'],
].flat();
const HOPS = ['Connection', 'close, X-Mine', 'X-Mine', '1', 'Keep-Alive', 'timeout=5', 'TE', 'trailers'];

test('a share with a user arrives as it was sent: path, query, fields in their order, and the bytes of the body', async () => {
  const fields = ['Content-Type', 'application/json; charset=utf-8', ...SIGNED];
  const { status } = await house.ask('POST', '/ocm/shares?a=%20b&c', [...fields, ...HOPS], USER_SHARE);
  expect(status).toBe(201);
  const { last } = house.platform;
  expect([last.method, last.url]).toEqual(['POST', '/apps/ocm/shares?a=%20b&c']);
  expect(last.body.toString()).toBe(USER_SHARE);
  expect(without(last.fields, 'connection')).toEqual([
    'host',
    'b.test',
    ...fields,
    'Via',
    '1.1 covey.b.test',
    'content-length',
    String(Buffer.byteLength(USER_SHARE)),
  ]);
});

test.each([
  ['malformed JSON', '/ocm/shares', '{"shareType":"federation"'],
  ['nothing', '/ocm/shares', ''],
  ['a list', '/ocm/notifications', '[]'],
  ['bytes', '/ocm/notifications', Buffer.from([0xff, 0xfe, 0, 1])],
  ['JSON too deep for us', '/ocm/shares', `${'['.repeat(100)}${']'.repeat(100)}`],
])('%s is passed on', async (_, path, body) => {
  const { status } = await house.ask('POST', path, ['Content-Type', 'application/json'], body);
  expect(status).toBe(201);
  expect(house.platform.last.body).toEqual(Buffer.from(body));
});

test('the answer comes back as it was given, and nothing of ours is in it', async () => {
  const body = Buffer.from([0, 255, 1, 254]);
  const given = ['X-One', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Name', 'caf\u00e9', 'Content-Length', '4'];
  house.platform.answer = (_, response) => {
    response.sendDate = false;
    response.writeHead(418, 'Short And Stout', [
      'Connection',
      'X-Hop',
      'X-Hop',
      '1',
      'Keep-Alive',
      'timeout=9',
      ...given,
    ]);
    response.end(body);
  };
  const { head, body: got } = await raw(house.port, head_('POST', '/ocm/shares'), 'Content-Length: 2\r\n\r\n{}');
  expect(got).toEqual(body);
  const [line, ...fields] = head.split('\r\n');
  expect(line).toBe('HTTP/1.1 418 Short And Stout');
  const pairs = given.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${given[at + 1]!}`] : []));
  expect(fields.filter((field) => !/^(date|connection):/i.test(field))).toEqual(pairs);
});

test('an answer without end comes as it is made, and ends when nobody listens any more', async () => {
  let next: () => unknown = () => undefined;
  const ended = new Promise<unknown>((done) => {
    house.platform.answer = (asked, response) => {
      asked.socket.once('close', done);
      response.writeHead(200, { 'x-stream': 'yes' }).flushHeaders();
      next = () => response.write('more\n');
    };
  });
  const asking = request({ host: '127.0.0.1', port: house.port, path: '/ocm/events', headers: { host: 'b.test' } });
  asking.end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  expect(answer.headers['x-stream']).toBe('yes');
  for (let at = 0; at < 3; at++) {
    next();
    const [part] = (await once(answer, 'data')) as [Buffer];
    expect(part.toString()).toBe('more\n');
  }
  answer.destroy();
  await ended;
  // Long before the platform would be given up for being silent.
}, 20_000);

test('who leaves before there is an answer is not waited for', async () => {
  const asking = request({ host: '127.0.0.1', port: house.port, path: '/ocm/slow', headers: { host: 'b.test' } });
  asking.on('error', () => undefined).end();
  await new Promise<void>((done) => {
    house.platform.answer = ({ socket }) => {
      socket.once('close', () => done());
      asking.destroy();
    };
  });
}, 20_000);

test('a redirect is passed back and not followed', async () => {
  house.platform.answer = (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/elsewhere' }).end();
  const { status, fields } = await house.ask('POST', '/ocm/shares', [], '{}');
  expect([status, valueOf(fields, 'location')]).toEqual([307, 'http://127.0.0.1:1/elsewhere']);
  expect(house.platform.arrived.filter(({ method }) => method === 'POST')).toHaveLength(1);
});

test('what is passed on is not judged, and what is ours is, and does not arrive there', async () => {
  expect((await house.json('POST', '/ocm/shares', { shareType: 'user' })).status).toBe(201);
  house.platform.arrived.length = 0;
  for (const [path, body] of [
    ['/ocm/shares', { shareType: 'federation' }],
    ['/ocm/notifications', { notificationType: 'MLS_COMMIT' }],
    ['/ocm/notifications', { notificationType: 'SHARE_UNSHARED', shareType: 'federation' }],
  ] as const) {
    expect(await house.json('POST', path, body)).toMatchObject({ status: 401, body: { code: 'signature.missing' } });
  }
  expect(house.platform.arrived).toEqual([]);
});

test('paths below the endPoint that we do not know are passed on, with any method', async () => {
  house.platform.answer = (_, response, body) => response.writeHead(200, { 'x-had': body.length }).end('yes');
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'])
    expect((await house.ask(method, '/ocm/invite-accepted', [], 'abc')).body.toString()).toBe('yes');
  expect((await house.ask('GET', '/ocm/shares')).status).toBe(200);
  expect((await house.ask('HEAD', '/ocm/anything')).status).toBe(200);
  expect(new Set(house.platform.arrived.map(({ method }) => method))).toEqual(
    new Set(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']),
  );
  expect((await house.json('GET', '/elsewhere')).status).toBe(404);
  expect((await house.json('GET', '/ocm/jwks')).body).toHaveProperty('keys');
});

test('a signed GET says that it has no body, and so it arrives', async () => {
  await house.ask('GET', '/ocm/anything', ['Content-Length', '0']);
  expect(valueOf(house.platform.last.fields, 'content-length')).toBe('0');
});

test.each([
  '/ocm/../admin',
  '/ocm/a/%2e%2E/admin',
  '/ocm/..%2fadmin',
  '/ocm/%252e%252e/admin',
  '/ocm/..;/admin',
  '/ocm/..\\admin',
  '/ocm//evil.test/x',
])('%s leads nowhere', async (path) => {
  expect(await house.json('GET', path)).toMatchObject({ status: 400, body: { code: 'request.malformed' } });
  expect(house.platform.arrived).toEqual([]);
});

test('neither another Host, nor two, nor a whole URL in the request line choose where it goes', async () => {
  const ask = (line: string, ...hosts: string[]) =>
    raw(
      house.port,
      `${line}\r\n${hosts.map((name) => `Host: ${name}\r\n`).join('')}Connection: close\r\nContent-Length: 0\r\n\r\n`,
    );
  expect((await ask('GET /ocm/x HTTP/1.1', 'evil.test')).status).toBe(421);
  expect((await ask('GET /ocm/x HTTP/1.1', 'b.test', 'evil.test')).status).toBe(400);
  expect((await ask('POST http://evil.test/ocm/shares HTTP/1.1', 'b.test')).status).toBe(421);
  expect((await ask('GET http://b.test/ocm/x HTTP/1.1', 'b.test')).status).toBe(404);
  expect(house.platform.arrived).toEqual([]);
  expect((await ask('GET /ocm/x HTTP/1.1', 'b.test')).status).toBe(201);
});

test('Connection takes away neither Host nor signature', async () => {
  await house.ask('POST', '/ocm/shares', ['Connection', 'close, Host, Signature', 'Signature', 'ocm=:AA:'], '{}');
  const { fields } = house.platform.last;
  expect([valueOf(fields, 'host'), valueOf(fields, 'signature')]).toEqual(['b.test', 'ocm=:AA:']);
});

test('what comes back to us is not sent round again', async () => {
  const { status } = await house.ask('POST', '/ocm/shares', ['Via', '1.1 proxy, 1.1 covey.b.test'], '{}');
  expect(status).toBe(508);
  expect(house.platform.arrived).toEqual([]);
});

const head_ = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n`;

const valueOf = (fields: readonly string[], name: string) =>
  fields[fields.findIndex((field, at) => at % 2 === 0 && field.toLowerCase() === name) + 1];

const without = (fields: readonly string[], name: string) =>
  fields.filter((_, at) => fields[at - (at % 2)]!.toLowerCase() !== name);

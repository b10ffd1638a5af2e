import { afterAll, beforeAll, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { signRequest } from '../../src/ocm/message-signing.js';
import { ServerKeysService } from '../../src/ocm/server-keys.service.js';
import { World } from '../support/world.js';
import { Module } from './module.js';
import { PLATFORM_DOCUMENT, raw } from './stand-in.js';

const LIMIT = 65_536;
const END_POINT = 'https://b.test/cloud/index.php/ocm';

let world: World;
let module: Module;
beforeAll(async () => {
  world = await World.with({
    'a.test': {},
    // Who may say where requests come from does not say it of what is handed over.
    'b.test': {
      COVEY_PUBLIC_URL: 'https://b.test/cloud/index.php',
      COVEY_TRUSTED_PROXIES: '127.0.0.1',
      COVEY_BODY_LIMIT: String(LIMIT),
    },
  });
  module = await Module.before(world, 'b.test', { ...PLATFORM_DOCUMENT, endPoint: END_POINT });
});
afterAll(() => world[Symbol.asyncDispose]());

const read = ({ body }: { body: Uint8Array }) =>
  JSON.parse(Buffer.from(body).toString() || '{}') as Record<string, unknown>;

/** A request that a.test signs, to be changed on the way. */
function signed(path: string, body: object) {
  world.clock.advanceSeconds(1);
  const bytes = utf8(JSON.stringify(body));
  const url = `${END_POINT}${path}`;
  const own = { 'content-type': 'application/json' };
  const key = world.server('a.test').get(ServerKeysService).http;
  const added = signRequest({ method: 'POST', targetUri: url, fields: own }, bytes, key, world.clock.now());
  return { method: 'POST' as const, url, headers: { ...own, ...added }, body: bytes };
}
const commit = (mark = '') =>
  signed('/notifications', { notificationType: 'MLS_COMMIT', senderDomain: 'a.test', mark });

test('a group, a share and a token go through a file platform in front, answers and their signatures as well', async () => {
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  await alice.share(lab, 'of-alice.tar');
  await bob.share(lab, 'of-bob.tar');
  await world.settle();
  expect((await bob.receives()).map(({ name }) => name)).toContain('of-alice.tar');
  expect(await alice.open('of-bob.tar')).toHaveProperty('access_token');
  expect(await bob.open('of-alice.tar')).toHaveProperty('access_token');
  const kinds = new Set(world.network.sent({ to: host('b.test') }).map(({ what, outcome }) => `${what} ${outcome}`));
  expect([...kinds].filter((kind) => !/ 20[01]$/.test(kind))).toEqual([]);
  expect(kinds).toContain('MLS_WELCOME 201');
  expect(kinds).toContain('/cloud/index.php/ocm/mls-key-packages 200');
  expect(kinds).toContain('/cloud/index.php/ocm/token 200');
  expect(module.own.map(({ url }) => url)).toEqual([]);
});

test("what is the platform's own is not taken", async () => {
  for (const [path, body] of [
    ['/shares', { shareType: 'user' }],
    ['/shares', { shareType: 'group' }],
    ['/notifications', { notificationType: 'SHARE_ACCEPTED', senderDomain: 'a.test', providerId: '42' }],
    ['/token', { code: 'theirs' }],
    ['/invite-accepted', {}],
  ] as const) {
    const answer = await module.hand(signed(path, body));
    expect([path, answer.status, answer.headers['covey-handover']]).toEqual([path, 204, 'not-ours']);
  }
  const put = await module.hand({ ...commit(), method: 'PUT' as 'POST' });
  expect(put.headers['covey-handover']).toBe('not-ours');
});

test('the answer is that to the original, and says so', async () => {
  const answer = await module.hand(commit());
  expect([answer.status, answer.headers['covey-handover']]).toEqual([400, 'answered']);
  expect(read(answer)).toMatchObject({ code: 'body.malformed', request: answer.headers['x-request-id'] });
});

test('what was changed on the way, or never signed, is refused as it would be at our own door', async () => {
  const refusal = async (change: (asked: ReturnType<typeof commit>) => Partial<ReturnType<typeof commit>>) => {
    const asked = commit();
    const answer = await module.hand({ ...asked, ...change(asked) });
    return [answer.status, answer.headers['covey-handover'], read(answer)['code']];
  };
  const other = (body: Uint8Array) => utf8(Buffer.from(body).toString().replace('MLS_COMMIT', 'MLS_WELCOM'));
  expect(await refusal(({ body }) => ({ body: other(body) }))).toEqual([401, 'answered', 'signature.digest-mismatch']);
  expect(await refusal(({ url }) => ({ url: `${url}?x` }))).toEqual([401, 'answered', 'signature.invalid']);
  expect(await refusal(() => ({ headers: { 'content-type': 'application/json' } }))).toEqual([
    401,
    'answered',
    'signature.missing',
  ]);
});

test('what was signed for another host is not taken for ours, whoever names whom', async () => {
  const asked = commit();
  const evil = await module.hand({ ...asked, url: asked.url.replace('b.test', 'evil.test') });
  expect([evil.status, evil.headers['covey-handover'], read(evil)['code']]).toEqual([
    421,
    undefined,
    'request.misdirected',
  ]);
  const forwarded = ['Covey-Field-X-Forwarded-Host', 'evil.test', 'X-Forwarded-Host', 'evil.test'];
  expect((await module.hand(commit(), forwarded)).status).toBe(400);
  expect((await module.hand(commit(), ['Covey-Field-Host', 'evil.test'])).headers).not.toHaveProperty('covey-handover');
});

test('a request that was handed over twice is a replay', async () => {
  const asked = commit();
  await module.hand(asked);
  expect(read(await module.hand(asked))['code']).toBe('signature.replayed');
});

test('nobody hands over without an API key, and nothing but what others may ask', async () => {
  const told = ['Content-Type', 'application/octet-stream', 'Covey-Method', 'GET', 'Covey-Field-Host', 'b.test'];
  const targeted = (path: string, key?: string) =>
    module.ask('', [...told, 'Covey-Target', `/cloud/index.php${path}`], '', key);
  expect((await targeted('/ocm/jwks')).status).toBe(200);
  for (const key of ['', 'x'.repeat(40)]) {
    const refused = await targeted('/ocm/jwks', key);
    expect([refused.status, refused.headers['covey-handover']]).toEqual([401, undefined]);
    expect((await module.ask('/discovery', ['Content-Type', 'application/json'], '{}', key)).status).toBe(401);
    expect((await module.ask('/jwks', ['Content-Type', 'application/json'], '{}', key)).status).toBe(401);
  }
  for (const path of ['/metrics', '/api/v1/api-keys', '/ocm/../metrics', '/healthz'])
    expect(read(await targeted(path))['code']).toBe('handover.malformed');
});

test('a body larger than the limit, announced or not, or of another type, is not taken over', async () => {
  const told = ['Covey-Method', 'POST', 'Covey-Target', '/cloud/index.php/ocm/shares', 'Covey-Field-Host', 'b.test'];
  const lines = [...told, 'Host', 'covey', 'Authorization', `Bearer ${module.key}`, 'Connection', 'close']
    .map((text, at, all) => (at % 2 === 0 ? `${text}: ${all[at + 1]!}\r\n` : ''))
    .join('');
  const head = `POST /api/v1/handover HTTP/1.1\r\n${lines}Content-Type: application/octet-stream\r\n`;
  const large = Buffer.alloc(LIMIT + 1, 0x20);
  const announced = await raw(module.port, head, `Content-Length: ${large.length}\r\n\r\n`);
  expect([announced.status, announced.head]).toEqual([413, expect.not.stringMatching(/covey-handover/i)]);
  const chunk = [`Transfer-Encoding: chunked\r\n\r\n${large.length.toString(16)}\r\n`, large, '\r\n0\r\n\r\n'];
  expect((await raw(module.port, head, ...chunk)).status).toBe(413);
  expect((await module.ask('', ['Content-Type', 'application/xml', ...told], '{}')).status).toBe(415);
});

test('the platform asks for its documents with our fields in them, and is told what is wrong with its own', async () => {
  const keys = { keys: [{ kid: 'theirs', alg: 'Ed25519', kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }] };
  expect(read(await module.join('/discovery', module.document))).toMatchObject({
    provider: 'Cloud of B',
    endPoint: END_POINT,
    tokenEndPoint: `${END_POINT}/token`,
    jwksUri: `${END_POINT}/jwks`,
    inviteAcceptDialog: PLATFORM_DOCUMENT.inviteAcceptDialog,
    resourceTypes: [{ name: 'file', shareTypes: ['user', 'group', 'federation'] }, { name: 'folder' }],
  });
  const joined = read(await module.join('/jwks', keys))['keys'] as { kid: string }[];
  expect(joined.map(({ kid }) => kid)).toEqual([expect.stringMatching(/^b\.test#/), expect.any(String), 'theirs']);
  for (const [path, document] of [
    ['/discovery', { enabled: true }],
    ['/discovery', []],
    ['/jwks', { keys: 7 }],
  ] as const)
    expect(await module.join(path, document).then(read)).toMatchObject({ status: 400, code: 'body.malformed' });
});

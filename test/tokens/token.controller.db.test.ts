import * as jose from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Host, host } from '../../src/kernel/address.js';
import { fromUtf8 } from '../../src/kernel/bytes.js';
import { parseShareNotice } from '../../src/ocm/share-notice.js';
import { type Post, post, readable } from '../shares/signed-post.js';
import { World } from '../support/world.js';

const FORM = 'application/x-www-form-urlencoded';
let world: World;
let secret: string;
let providerId: string;

beforeAll(async () => {
  world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, carol] = await world.users('alice@a.test', 'bob@b.test', 'carol@c.test');
  const lab = await alice.createGroup('lab', [bob, carol]);
  await alice.share(lab, 'data.tar');
  await world.settle();
  const [exchange] = world.network.sent({ to: host('b.test'), what: '/ocm/shares' });
  const notice = parseShareNotice(JSON.parse(fromUtf8(exchange!.request.body!)));
  ({ providerId } = notice);
  secret = notice.webdav.sharedSecret;
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => world.clock.advanceSeconds(1));

const form = (change: Record<string, string> = {}): string =>
  new URLSearchParams({ grant_type: 'authorization_code', client_id: 'b.test', code: secret, ...change }).toString();
const ask = (body: string, change: Partial<Post> = {}) =>
  post(world, { from: 'b.test', to: 'a.test', path: '/token', type: FORM, body, ...change });
const refused = (error: string) => ({
  status: 400,
  body: { error },
  headers: expect.objectContaining({ 'cache-control': 'no-store' }) as unknown,
});

test('a signed request with the secret gets a token that verifies and that no cache may keep', async () => {
  const { status, headers, body } = await ask(form());
  expect([status, headers['cache-control'], headers['pragma']]).toEqual([200, 'no-store', 'no-cache']);
  const { access_token: token, ...rest } = body!;
  expect(rest).toEqual({ token_type: 'Bearer', expires_in: 300 });
  const network = world.network.networkOf(host('c.test'), () => true);
  const asked = { method: 'GET', headers: {}, timeoutMs: 1000, maxBytes: 100_000 } as const;
  const jwks = readable(await network.fetch({ ...asked, url: 'https://a.test/ocm/jwks' })).body;
  const keys = jose.createLocalJWKSet(jwks as unknown as jose.JSONWebKeySet);
  const expected = { typ: 'at+jwt', currentDate: world.clock.now() };
  const { payload, protectedHeader } = await jose.jwtVerify(token as string, keys, expected);
  expect(protectedHeader.alg).toBe('ES256');
  expect(payload).toMatchObject({ iss: 'https://a.test', aud: 'lab@a.test', client_id: providerId });
  expect(payload['ocm_group']).toMatchObject({ recipient: 'b.test', members: ['bob@b.test'] });
});

test('the code may be used again and again, other parameters are ignored', async () => {
  expect((await ask(form({ redirect_uri: 'https://b.test/', scope: 'x' }))).status).toBe(200);
  world.clock.advanceSeconds(1);
  expect((await ask(form())).status).toBe(200);
});

test('why a code is refused cannot be told from outside', async () => {
  expect(await ask(form({ code: 'made-up' }))).toEqual(refused('invalid_grant'));
  expect(await ask(form({ member: 'mallory@b.test' }))).toEqual(refused('invalid_grant'));
  expect(await ask(form({ client_id: 'c.test' }), { from: 'c.test' })).toEqual(refused('invalid_grant'));
});

test('who is not the server it says it is, or does not sign, is an invalid client', async () => {
  expect(await ask(form(), { from: 'c.test' })).toEqual(refused('invalid_client'));
  expect(await ask(form(), { signed: false })).toEqual(refused('invalid_client'));
});

test('a request that was seen before is refused', async () => {
  expect((await ask(form())).status).toBe(200);
  expect(await ask(form())).toEqual(refused('invalid_client'));
});

test.each([
  ['another grant type', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
  ['an empty code', { code: '' }, 'invalid_request'],
  ['a member that is no address', { member: 'ben' }, 'invalid_request'],
])('%s is refused in the words of OAuth', async (_, change, error) => {
  expect(await ask(form(change))).toEqual(refused(error));
});

test('a parameter that is given twice is refused', async () => {
  expect(await ask(`${form()}&code=other`)).toEqual(refused('invalid_request'));
  expect(await ask(`${form()}&client_id=c.test`)).toEqual(refused('invalid_request'));
});

test('a body that is no form is refused', async () => {
  const json = JSON.stringify(Object.fromEntries(new URLSearchParams(form())));
  expect(await ask(json, { type: 'application/json' })).toEqual(refused('invalid_request'));
});

test('what HTTP itself refuses is refused before it is a token request', async () => {
  expect((await ask('x', { type: 'text/plain', signed: false })).status).toBe(415);
  expect((await ask(form({ padding: 'x'.repeat(5_000_000) }), { signed: false })).status).toBe(413);
});

test('a token endpoint whose keys of the client cannot be read says so, and does not call it invalid', async () => {
  const dark = 'dark.test' as Host;
  world.network.detach(dark);
  const answer = await ask(form({ client_id: dark }));
  expect([answer.status, answer.body, answer.headers['retry-after']]).toEqual([
    503,
    { error: 'temporarily_unavailable' },
    '5',
  ]);
});

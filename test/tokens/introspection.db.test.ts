import { createPublicKey } from 'node:crypto';
import * as jose from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { fromUtf8 } from '../../src/kernel/bytes.js';
import { parseShareNotice } from '../../src/ocm/share-notice.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { TokenKeys } from '../../src/ocm/server-keys.service.js';
import { type Post, post, readable } from '../shares/signed-post.js';
import type { Opening, Person, Share } from '../support/cast.js';
import { World } from '../support/world.js';

const FORM = 'application/x-www-form-urlencoded';
const INACTIVE = '{"active":false}';
let world: World;
let [alice, bob, bella]: [Person, Person, Person] = [] as never;
let lab: string;
let share: Share;
let basic: string;

const basicOf = (id: string, secret: string) =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;

beforeAll(async () => {
  // The protocol server is c.test: it signs, and is no member of anything.
  world = await World.of('a.test', 'b.test', 'c.test', 'd.test');
  [alice, bob, bella] = await world.users('alice@a.test', 'bob@b.test', 'bella@b.test');
  lab = await alice.createGroup('lab', [bob, bella]);
  share = await alice.share(lab, 'data.tar');
  await world.settle();
  const pair = (body: object) => world.server('a.test').api('POST', '/pairings', body);
  expect(await pair({ clientId: 'c.test', method: 'signature' })).toMatchObject({
    status: 201,
    body: { secret: null },
  });
  const made = await pair({ clientId: 'hub', method: 'client_secret_basic' });
  const { secret } = made.body as { secret: string };
  expect(secret).toMatch(/^[\w-]{43}$/);
  basic = basicOf('hub', secret);
  expect(await pair({ clientId: 'a:b:c', method: 'signature' })).toMatchObject({ status: 400 });
  expect(await pair({ clientId: 'c.test', method: 'client_secret_basic' })).toMatchObject({ status: 409 });
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => world.clock.advanceSeconds(1));

const form = (token: string) => new URLSearchParams({ token }).toString();
const signed = (token: string, change: Partial<Post> = {}) =>
  post(world, { from: 'c.test', to: 'a.test', path: '/introspect', type: FORM, body: form(token), ...change });

/** As an off-the-shelf resource server asks. */
async function shown(token: string, authorization = basic, type = FORM) {
  const network = world.network.networkOf(host('d.test'), () => true);
  const answer = await network.fetch({
    method: 'POST',
    url: 'https://a.test/ocm/introspect',
    headers: { 'content-type': type, authorization },
    body: Buffer.from(form(token)),
    timeoutMs: 1000,
    maxBytes: 100_000,
  });
  return { ...readable(answer), text: fromUtf8(answer.body) };
}

const token = async (who: Person = bob): Promise<string> => ((await who.open('data.tar')) as Opening).access_token;
const secretOf = (to: string): string => {
  const [exchange] = world.network.sent({ to: host(to), what: '/ocm/shares' });
  return parseShareNotice(JSON.parse(fromUtf8(exchange!.request.body!))).webdav.sharedSecret;
};
const causes = async () =>
  (await world.server('a.test').get(Metrics).text())
    .split('\n')
    .filter((line) => line.startsWith('covey_introspections_total'));

test('D-24 D-24a a token is good, and the answer says for whom and in which epoch the group is now', async () => {
  const mine = await token();
  const claims = jose.decodeJwt(mine);
  const { body, headers } = await signed(mine);
  expect(headers['cache-control']).toBe('no-store');
  expect(body).toMatchObject({
    active: true,
    iss: 'https://a.test',
    sub: 'alice',
    aud: lab,
    client_id: claims['client_id'],
    exp: claims.exp,
    jti: claims.jti,
    groups: [lab],
    ocm_group: { epoch: 1, recipient: 'b.test', member: 'bob@b.test', members: ['bob@b.test'] },
    ocm_ip: { resourceType: 'file', name: 'data.tar', protocol: { webdav: { permissions: ['read'] } } },
  });
  expect(JSON.stringify(body)).not.toContain(secretOf('b.test'));
  expect((await shown(mine)).body).toEqual(body);
  // Rights that change count at once, in tokens that were issued before as well.
  await alice.changePermissions(share, ['read', 'write']);
  expect((await shown(mine)).body).toMatchObject({
    ocm_ip: { protocol: { webdav: { permissions: ['read', 'write'] } } },
  });
});

test('I-039 I-044 the secret of a share is good as it is, for five minutes at a time', async () => {
  const now = Math.floor(world.clock.now().getTime() / 1000);
  const { body } = await shown(secretOf('b.test'));
  expect(body).toMatchObject({ active: true, aud: lab, exp: now + 300, ocm_group: { recipient: 'b.test' } });
  expect(body).not.toHaveProperty('jti');
});

test('a secret of a server with more members than fit into a token is good all the same', async () => {
  const many = Array.from({ length: 150 }, (_, number) => `member-with-a-long-name-${number}@b.test`);
  const server = world.server('a.test');
  const rows = await server.query<{ id: string }>('SELECT mls_group_id AS id FROM federated_group');
  await server.query(
    `INSERT INTO group_member (mls_group_id, address, host, leaf_index, updated_at, fresh)
     SELECT $1, unnest($2::text[]), 'b.test', generate_series(1000, 1149), now(), false`,
    [rows[0]!.id, many],
  );
  const { body } = await shown(secretOf('b.test'));
  await server.query('DELETE FROM group_member WHERE leaf_index >= 1000');
  expect(body).toMatchObject({ active: true });
  expect((body!['ocm_group'] as { members: string[] }).members).toHaveLength(152);
});

test('D-24 who was removed shuts the tokens of before, at once and whatever they say; what is bound to others goes on', async () => {
  const [bobs, bellas] = [await token(bob), await token(bella)];
  await alice.remove(lab, bella);
  await world.settle();
  expect((await shown(bellas)).text).toBe(INACTIVE);
  expect((await shown(bobs)).body).toMatchObject({ active: true, ocm_group: { epoch: 2 } });
  expect((await causes()).join()).toContain('grant.member-unknown');
});

test('I-042 whatever opens nothing is answered alike, and told apart in the metrics', async () => {
  const { kid, alg, privateKey } = world.server('a.test').get(TokenKeys).current();
  const good = jose.decodeJwt(await token());
  const forged = (claims: object, header: object = {}, key: Parameters<jose.SignJWT['sign']>[0] = privateKey) =>
    new jose.SignJWT({ ...good, ...claims }).setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header }).sign(key);
  const other = (await jose.generateKeyPair('ES256')).privateKey;
  const hmac = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const [head, payload] = (await token()).split('.') as [string, string];
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
  const past = Math.floor(world.clock.now().getTime() / 1000) - 1;
  const bad: Readonly<Record<string, string>> = {
    'no signature': `${head}.${payload}.`,
    'alg none': `${none}.${payload}.`,
    'HMAC with the public key': await forged({}, { alg: 'HS256' }, hmac),
    'another key': await forged({}, {}, other),
    'another kid': await forged({}, { kid: 'b.test#token' }),
    'jku of the attacker': await forged({}, { jku: 'https://evil.test/jwks', kid: 'evil' }, other),
    'another typ': await forged({}, { typ: 'JWT' }),
    'another issuer': await forged({ iss: 'https://b.test' }),
    expired: await forged({ exp: past }),
    'not yet good': await forged({ nbf: past + 1000 }),
    'without client_id': await forged({ client_id: undefined }),
    'of another share': await forged({ client_id: '00000000-0000-4000-8000-000000000000' }),
    'of a stranger': await forged({ ocm_group: { member: 'eve@b.test' } }),
    garbage: 'garbage',
    'another secret': 'x'.repeat(43),
    dots: '..',
  };
  for (const [what, text] of Object.entries(bad))
    expect(`${what}: ${(await shown(text)).text}`).toBe(`${what}: ${INACTIVE}`);
  const told = (await causes()).join('\n');
  for (const cause of ['introspection.not-ours', 'grant.unknown', 'grant.member-unknown'])
    expect(told).toContain(cause);
});

test('I-004 I-040 nobody but paired protocol servers is told anything', async () => {
  const mine = await token();
  expect(await shown(mine, basicOf('hub', 'guess'))).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="covey"' },
    body: { error: 'invalid_client' },
  });
  for (const authorization of [
    basicOf('nobody', 'guess'),
    basicOf('c.test', 'guess'),
    'Basic !',
    'Bearer x',
    'Basic eA==',
  ]) {
    expect(await shown(mine, authorization)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  }
  // It signs well, and is not paired; and what is not signed at all.
  expect(await signed(mine, { from: 'd.test' })).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  expect(await signed(mine, { signed: false })).toMatchObject({ status: 400, body: { error: 'invalid_client' } });
  const end = await world.server('a.test').api('DELETE', '/pairings/c.test');
  expect(end.status).toBe(204);
  expect(await signed(mine)).toMatchObject({ status: 401 });
  expect(await world.server('a.test').api('DELETE', '/pairings/c.test')).toMatchObject({ status: 404 });
  expect(await world.server('a.test').api('GET', '/pairings')).toMatchObject({
    body: { pairings: [{ clientId: 'hub', method: 'client_secret_basic' }] },
  });
});

test('a question that is none is refused', async () => {
  expect(await shown('x', basic, 'text/plain')).toMatchObject({ status: 415 });
  expect(await shown('')).toMatchObject({ status: 400 });
  expect(await shown('x'.repeat(16_385))).toMatchObject({ status: 400 });
  expect((await shown('x'.repeat(2 ** 20))).status).toBeGreaterThanOrEqual(400);
});

test('I-041 who guesses has to wait, and delays nobody else', async () => {
  const made = await world
    .server('a.test')
    .api('POST', '/pairings', { clientId: 'other', method: 'client_secret_basic' });
  const other = basicOf('other', (made.body as { secret: string }).secret);
  world.clock.advanceHours(1);
  for (let guess = 0; guess < 60; guess++) expect((await shown(`guess ${guess}`)).text).toBe(INACTIVE);
  const late = await shown(await token());
  expect(late).toMatchObject({
    status: 429,
    headers: { 'retry-after': '1' },
    body: { error: 'temporarily_unavailable' },
  });
  expect((await shown(await token(), other)).body).toMatchObject({ active: true });
  world.clock.advanceSeconds(1);
  expect((await shown(await token())).body).toMatchObject({ active: true });
});

test('I-037 D-24 once the share has ended neither token nor secret opens anything', async () => {
  world.clock.advanceHours(1);
  const mine = await token();
  await alice.unshare(share);
  expect((await shown(mine)).text).toBe(INACTIVE);
  expect((await shown(secretOf('b.test'))).text).toBe(INACTIVE);
});

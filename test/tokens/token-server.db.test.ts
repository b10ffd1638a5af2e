import * as jose from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readJsonOver } from '../../src/integration/protocol-server.js';
import { host } from '../../src/kernel/address.js';
import { fromUtf8, utf8 } from '../../src/kernel/bytes.js';
import type { HttpAnswer, HttpRequest } from '../../src/kernel/network.js';
import type { Opening, Person, Share } from '../support/cast.js';
import { World } from '../support/world.js';
import { Hub } from './hub.js';

const KID = 'a.test#issuer-1';
const TOKEN_END_POINT = 'https://issuer.test/token';
let world: World;
let issuer: Hub;
let [alice, bob]: [Person, Person] = [] as never;
let lab: string;
let jwk: jose.JWK;
let own: CryptoKey;
let mute = false;
/** What it minted, by the providerId. */
const minted = new Map<string, string>();

const pair = (body: object) => world.server('a.test').api('POST', '/pairings', body);
const terms = () => ({
  clientId: 'issuer.test',
  method: 'none',
  integrationApi: issuer.api,
  tokenEndPoint: TOKEN_END_POINT,
  jwks: { keys: [jwk] },
});
const json = (status: number, body: object): HttpAnswer => ({ status, headers: {}, body: utf8(JSON.stringify(body)) });

/** Its Integration API: what it stores gets a secret. */
async function prepare(request: HttpRequest): Promise<HttpAnswer> {
  const answer = await issuer.serve(request);
  if (answer.status !== 201 || mute) return answer;
  const { providerId } = JSON.parse(fromUtf8(request.body!)) as { providerId: string };
  const sharedSecret = `minted-${minted.size}-${'x'.repeat(32)}`;
  minted.set(providerId, sharedSecret);
  return json(201, { status: 'stored', protocol: { webdav: { sharedSecret } } });
}

/** Its token endpoint: who shows what it minted gets a token in the name of a.test. */
async function issue(body: Uint8Array): Promise<HttpAnswer> {
  const code = new URLSearchParams(fromUtf8(body)).get('code');
  const [providerId] = [...minted].find(([, secret]) => secret === code) ?? [];
  if (providerId === undefined) return json(400, { error: 'invalid_grant' });
  const iat = Math.floor(world.clock.now().getTime() / 1000);
  const token = await new jose.SignJWT({
    iss: 'https://a.test',
    sub: 'alice',
    aud: lab,
    client_id: providerId,
    iat,
    exp: iat + 60,
    jti: crypto.randomUUID(),
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: KID })
    .sign(own);
  return json(200, { access_token: token, token_type: 'Bearer', expires_in: 60 });
}

beforeAll(async () => {
  world = await World.of('a.test', 'b.test');
  issuer = new Hub(world, 'issuer.test');
  const keys = await jose.generateKeyPair('ES256', { extractable: true });
  own = keys.privateKey;
  jwk = { ...(await jose.exportJWK(keys.publicKey)), kid: KID, alg: 'ES256' };
  world.network.attach(host('issuer.test'), (request) =>
    request.url === TOKEN_END_POINT ? issue(request.body!) : prepare(request),
  );
  expect(await pair(terms())).toMatchObject({ status: 201, body: { tokenEndPoint: TOKEN_END_POINT } });
  [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  lab = await alice.createGroup('lab', [bob]);
  await world.settle();
});
afterAll(() => world[Symbol.asyncDispose]());

const share = async (name: string): Promise<Share> => {
  const made = await alice.share(lab, name);
  await world.settle();
  return made;
};
const read = async (url: string) => readJsonOver(world.network.networkOf(host('files.test'), () => true))(url);

test('where tokens are issued, and with which keys, is published as ours', async () => {
  expect(await read('https://a.test/.well-known/ocm')).toMatchObject({ tokenEndPoint: TOKEN_END_POINT });
  const server = 'https://a.test/.well-known/oauth-authorization-server';
  expect(await read(server)).toMatchObject({ token_endpoint: TOKEN_END_POINT });
  const { keys } = (await read('https://a.test/ocm/jwks')) as { keys: { kid: string }[] };
  expect(keys.map(({ kid }) => kid)).toContain(KID);
});

test('every share is prepared there, and its notice has the secret that was minted there', async () => {
  await share('data.tar');
  const [notice] = world.network
    .sent({ to: host('b.test'), what: '/ocm/shares' })
    .map(({ request }) => JSON.parse(fromUtf8(request.body!)) as { providerId: string; protocol: { webdav: object } });
  expect(notice!.protocol.webdav).toMatchObject({ sharedSecret: minted.get(notice!.providerId) });
  for (const { body } of issuer.heard) expect(JSON.stringify(body)).not.toContain('sharedSecret');
  const stored = JSON.stringify(await world.server('a.test').query('SELECT * FROM share_record'));
  for (const secret of minted.values()) expect(stored).not.toContain(secret);
  expect(await world.server('a.test').query('SELECT 1 FROM share_record WHERE secret IS NOT NULL')).toEqual([]);
});

test('who receives it gets its tokens there, and whoever verifies them sees a token of ours', async () => {
  const { access_token: token } = (await bob.open('data.tar')) as Opening;
  expect(jose.decodeProtectedHeader(token).kid).toBe(KID);
  expect(await issuer.server.verify(token)).toMatchObject({ owner: 'alice@a.test', audience: lab });
});

test('secrets that it minted are not exchanged for ours', async () => {
  const one = await share('kept.tar');
  await alice.rotateCredentials(one);
  await world.settle();
  expect(world.network.sent({ to: host('b.test'), what: 'MLS_APPLICATION' })).toEqual([]);
  expect(await bob.open('kept.tar')).toMatchObject({ token_type: 'Bearer' });
});

test('there is no share where it mints no secret', async () => {
  mute = true;
  await expect(share('none.tar')).rejects.toThrow('share.not-provisioned');
  mute = false;
});

test.each<[string, () => object, number]>([
  ['another one', () => ({ ...terms(), clientId: 'second.test' }), 409],
  ['without keys', () => ({ ...terms(), clientId: 'x', jwks: undefined }), 400],
  ['that is told of no shares', () => ({ ...terms(), clientId: 'x', integrationApi: undefined }), 400],
  [
    'with keys of another domain',
    () => ({ ...terms(), clientId: 'x', jwks: { keys: [{ ...jwk, kid: 'b.test#k' }] } }),
    400,
  ],
  ['at no address', () => ({ ...terms(), clientId: 'x', tokenEndPoint: 'https://10.0.0.1/token' }), 400],
])('a Token Server %s is refused', async (_, body, status) => {
  expect(await pair(body())).toMatchObject({ status });
});

test('a Token Server does not take the name of a key of ours', async () => {
  const { keys } = (await read('https://a.test/ocm/jwks')) as { keys: { kid: string }[] };
  const { kid } = keys.find((one) => one.kid.startsWith('a.test#token-'))!;
  const body = { ...terms(), clientId: 'x', jwks: { keys: [{ ...jwk, kid }] } };
  expect(await pair(body)).toMatchObject({ status: 400, body: { code: 'pairing.kid-refused' } });
});

import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { fromUtf8 } from '../../src/kernel/bytes.js';
import type { Opening, Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { fetchOver } from '../third-parties/doorway.js';
import { Hub } from './hub.js';

const ENDPOINT = 'https://a.test/ocm/introspect';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
let world: World;
let bob: Person;
let lab: string;
let hub: Hub;
let own: CryptoKey;
let token: string;
const basics = new Map<string, string>();

const pair = (body: object) => world.server('a.test').api('POST', '/pairings', body);
const seconds = () => Math.floor(world.clock.now().getTime() / 1000);

beforeAll(async () => {
  world = await World.of('a.test', 'b.test');
  const [alice, one] = await world.users('alice@a.test', 'bob@b.test');
  bob = one;
  lab = await alice.createGroup('lab', [bob]);
  hub = new Hub(world);
  const keys = await jose.generateKeyPair('ES256', { extractable: true });
  own = keys.privateKey;
  const jwk = { ...(await jose.exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' };
  expect(await pair({ clientId: 'signer', method: 'private_key_jwt', jwks: { keys: [jwk] } })).toMatchObject({
    status: 201,
    body: { secret: null, jwks: { keys: [jwk] } },
  });
  for (const [clientId, more] of [
    ['hub.test', { integrationApi: hub.api }],
    ['stranger', {}],
  ] as const) {
    const { body } = await pair({ clientId, method: 'client_secret_basic', ...more });
    const { secret } = body as { secret: string };
    basics.set(clientId, `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`);
  }
  const resource = { id: 'file-1', type: 'file', name: 'data.tar', uri: 'data.tar', permissions: ['read'] };
  const body = { group: lab, sender: 'alice@a.test', resource, protocolServers: ['hub.test'] };
  expect(await world.server('a.test').api('POST', '/shares', body)).toMatchObject({ status: 201 });
  await world.settle();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  world.clock.advanceSeconds(1);
  token = ((await bob.open('data.tar')) as Opening).access_token;
});

async function ask(form: Record<string, string>, headers: Record<string, string> = {}) {
  const asked = { method: 'POST', body: new URLSearchParams({ token, ...form }), headers };
  const answer = await fetchOver(world, [])(ENDPOINT, asked);
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
}
const asked = async (form: Record<string, string>, headers: Record<string, string> = {}) =>
  JSON.parse((await ask(form, headers)).text) as Record<string, unknown>;

interface Assertion {
  readonly claims?: jose.JWTPayload;
  readonly header?: Partial<jose.JWTHeaderParameters>;
  readonly key?: CryptoKey | Uint8Array;
}
const assertion = ({ claims, header, key }: Assertion = {}) =>
  new jose.SignJWT({
    iss: 'signer',
    sub: 'signer',
    aud: ENDPOINT,
    iat: seconds(),
    exp: seconds() + 60,
    jti: crypto.randomUUID(),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
    .sign(key ?? own);
const shown = (text: string) => ask({ client_assertion_type: ASSERTION, client_assertion: text });

test('I-006 I-043 whoever has the record is told its name, and nobody else what is shared', async () => {
  const [known, unknown] = [
    await asked({}, { authorization: basics.get('hub.test')! }),
    await asked({}, { authorization: basics.get('stranger')! }),
  ];
  const [{ providerId }] = world.network
    .sent({ to: host('b.test'), what: '/ocm/shares' })
    .map(({ request }) => JSON.parse(fromUtf8(request.body!)) as { providerId: string }) as [{ providerId: string }];
  expect(known).toMatchObject({ active: true, client_id: providerId, aud: lab, groups: [lab] });
  expect(known).not.toHaveProperty('ocm_ip');
  const uri = 'https://a.test/webdav/data.tar';
  expect(unknown).toMatchObject({ active: true, ocm_ip: { providerId, protocol: { webdav: { uri } } } });
});

test('D-24a oauth4webapi shows a JWT that it signed, and reads the answer that we signed for it', async () => {
  const fetching = { [oauth.customFetch]: fetchOver(world, []) as never };
  const issuer = new URL('https://a.test');
  const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...fetching });
  const server = await oauth.processDiscoveryResponse(issuer, found);
  expect(server.introspection_endpoint_auth_methods_supported).toContain('private_key_jwt');
  const skew = seconds() - Math.floor(Date.now() / 1000);
  const client = {
    client_id: 'signer',
    [oauth.clockSkew]: skew,
    introspection_signed_response_alg: server.introspection_signing_alg_values_supported![0]!,
  };
  const auth = oauth.PrivateKeyJwt({ key: own, kid: 'k1' });
  const options = { ...fetching, requestJwtResponse: true };
  const answer = await oauth.introspectionRequest(server, client, auth, token, options);
  expect(answer.headers.get('content-type')).toBe('application/token-introspection+jwt');
  expect(await oauth.processIntrospectionResponse(server, client, answer)).toMatchObject({ active: true, aud: lab });
  await oauth.validateApplicationLevelSignature(server, answer, fetching);
});

test('RFC 9701 the signed answer is for whoever asked, about what is good and what is not', async () => {
  const jwks = jose.createRemoteJWKSet(new URL('https://a.test/ocm/jwks'), {
    [jose.customFetch]: fetchOver(world, []),
  });
  const accept = 'application/token-introspection+jwt';
  const read = async (client: string, form: Record<string, string> = {}) => {
    const { text } = await ask(form, { accept, authorization: basics.get(client)! });
    const options = { typ: 'token-introspection+jwt', issuer: 'https://a.test', audience: client };
    return (await jose.jwtVerify(text, jwks, options)).payload['token_introspection'];
  };
  expect(await read('stranger')).toMatchObject({ active: true });
  expect(await read('stranger', { token: 'nothing' })).toEqual({ active: false });
  await expect(
    jose.jwtVerify((await ask({}, { accept, authorization: basics.get('stranger')! })).text, jwks, {
      audience: 'hub.test',
    }),
  ).rejects.toThrow(/aud/);
  // Whoever takes anything gets JSON.
  expect((await ask({}, { accept: '*/*', authorization: basics.get('stranger')! })).type).toMatch(/^application\/json/);
});

test('an assertion is good for this server or its endpoint, and good once', async () => {
  const text = await assertion();
  expect(JSON.parse((await shown(text)).text)).toMatchObject({ active: true });
  expect(await shown(text)).toMatchObject({ status: 401, text: '{"error":"invalid_client"}' });
  expect(await shown(await assertion({ claims: { aud: 'https://a.test' } }))).toMatchObject({ status: 200 });
});

test.each<[string, Assertion | (() => Assertion | Promise<Assertion>)]>([
  ['of a client that is not paired', { claims: { iss: 'nobody', sub: 'nobody' } }],
  ['of a client that shows a secret otherwise', { claims: { iss: 'stranger', sub: 'stranger' } }],
  ['in the name of another', { claims: { iss: 'stranger' } }],
  ['for another server', { claims: { aud: 'https://b.test' } }],
  ['that has expired', () => ({ claims: { exp: seconds() - 1 } })],
  ['that is not good yet', () => ({ claims: { nbf: seconds() + 60 } })],
  ['that is good for an hour', () => ({ claims: { exp: seconds() + 3600 } })],
  ['without an end', { claims: { exp: undefined as never } }],
  ['without a name of its own', { claims: { jti: undefined as never } }],
  ['signed with another key', async () => ({ key: (await jose.generateKeyPair('ES256')).privateKey })],
  ['with a MAC', { header: { alg: 'HS256' }, key: new Uint8Array(32) }],
  ['of a key that is not published', { header: { kid: 'k2' } }],
])('an assertion %s is nobody\u2019s, and nothing is said of the token', async (_, made) => {
  const text = await assertion(typeof made === 'function' ? await made() : made);
  expect(await shown(text)).toMatchObject({ status: 401, text: '{"error":"invalid_client"}' });
});

test('a JWT that is none, and one that nobody signed, are nobody\u2019s', async () => {
  const claims = { iss: 'signer', sub: 'signer', aud: ENDPOINT, jti: 'j', exp: seconds() + 60 };
  for (const text of ['a.b.c', 'x', new jose.UnsecuredJWT(claims).encode()]) {
    expect(await shown(text)).toMatchObject({ status: 401 });
  }
});

test('a pairing holds public keys alone, for JWTs alone', async () => {
  const { privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
  const secret = { ...(await jose.exportJWK(privateKey)), kid: 'k', alg: 'ES256' };
  const { d: _, ...open } = secret;
  const method = 'private_key_jwt';
  for (const body of [
    { clientId: 'x', method },
    { clientId: 'x', method, jwks: { keys: [] } },
    { clientId: 'x', method, jwks: { keys: [secret] } },
    { clientId: 'x', method: 'client_secret_basic', jwks: { keys: [open] } },
    { clientId: 'x', method, jwks: { keys: [{ ...open, alg: 'HS256' }] } },
  ]) {
    expect(await pair(body)).toMatchObject({ status: 400 });
  }
});

test.each(['http://hub.test/api', 'https://127.0.0.1/api', 'https://hub.test/api/', 'https://u:p@hub.test/api', 'hub'])(
  '%s is no Integration API',
  async (integrationApi) => {
    expect(await pair({ clientId: 'y', method: 'none', integrationApi })).toMatchObject({ status: 400 });
  },
);

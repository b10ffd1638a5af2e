import { readFileSync, writeFileSync } from 'node:fs';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { fromUtf8 } from '../../src/kernel/bytes.js';
import { TokenKeys } from '../../src/ocm/server-keys.service.js';
import type { TokenAnswer } from '../../src/tokens/tokens.service.js';
import type { Opening } from '../support/cast.js';
import type { World } from '../support/world.js';
import { Apache, type Folder } from './apache.js';
import { Doorway, type Fetch, fetchOver } from './doorway.js';
import { ALGORITHMS, type Algorithm, type Lab, labsOf, paired, worldOfAlgorithms } from './labs.js';
import { ACCEPTED, configured, discovered, joseVerifier, oauth4webapi, openidClient, type Party } from './libraries.js';
import { type Outcomes, outcomesOn, rewritten } from './outcomes-page.js';
import { apacheOf, byIntrospection, byKeys, dav, naively } from './protected-folders.js';
import { attacker, FORGED, GOOD, SHOWN, type Shown, shownTokens } from './shown-tokens.js';

const PAGE = 'docs/third-parties.md';
/** Where the attacker's keys are. */
const LURE = 'evil.test/ocm/jwks';
const BY_KEYS = 'Apache, keys';
/** What a third party cannot verify at all. */
const UNSUPPORTED: readonly string[] = [`${BY_KEYS} Ed25519`];

interface Guarded {
  readonly lab: Lab;
  /** What openid-client shows. */
  readonly secret: string;
  readonly keys: Folder;
  readonly asks: Folder;
  readonly naive: Folder;
}

let world: World;
let doorway: Doorway;
let apache: Apache;
const guarded = {} as Record<Algorithm, Guarded>;
const seen = {} as Record<Algorithm, Outcomes>;
const tokens = {} as Record<Algorithm, Readonly<Record<Shown, string>>>;
/** Every address that a library wanted, and what came to the attacker. */
const asked: string[] = [];
let lured: readonly unknown[];
const fetched: Fetch = (url, init) => fetchOver(world, asked)(url, init);

beforeAll(async () => {
  world = await worldOfAlgorithms();
  doorway = await Doorway.into(world);
  const labs = await labsOf(world);
  for (const lab of labs) {
    const asks = byIntrospection(lab, doorway.to(lab.domain), await paired(world, lab, 'apache'));
    const secret = await paired(world, lab, 'openid-client');
    const server = doorway.to(lab.domain);
    guarded[lab.algorithm] = { lab, secret, asks, keys: byKeys(lab, server), naive: naively(lab, server) };
  }
  const folders = Object.values(guarded).flatMap(({ keys, asks, naive }) => [keys, asks, naive]);
  apache = await Apache.serving(folders);
  for (const { name } of folders) await apache.put(`${name}/data.csv`, 'north,271.3\n');
  const evil = await attacker(world);
  for (const lab of labs) {
    tokens[lab.algorithm] = await shownTokens(world, lab, evil, doorway.to(LURE));
    seen[lab.algorithm] = await outcomesOf(await partiesFor(guarded[lab.algorithm]), tokens[lab.algorithm]);
  }
  lured = world.network.sent({ to: host('evil.test') });
});
afterAll(async () => {
  await apache?.[Symbol.asyncDispose]();
  await doorway?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function partiesFor({ lab, secret, keys, asks }: Guarded): Promise<Readonly<Record<string, Party>>> {
  return {
    oauth4webapi: await oauth4webapi(lab, fetched),
    jose: await joseVerifier(lab, fetched),
    'openid-client': await openidClient(lab, secret, fetched),
    [BY_KEYS]: apacheOf(apache, keys),
    'Apache, introspection': apacheOf(apache, asks),
  };
}

async function outcomesOf(
  parties: Readonly<Record<string, Party>>,
  shown: Readonly<Record<Shown, string>>,
): Promise<Outcomes> {
  const rows: Outcomes['rows'][number][] = [];
  for (const token of SHOWN) {
    const outcomes = await Promise.all(Object.values(parties).map((party) => party(shown[token])));
    rows.push({ token, outcomes });
  }
  return { parties: Object.keys(parties), rows };
}

/** What each third party did with one of the tokens. */
function done(algorithm: Algorithm, token: Shown): Readonly<Record<string, string>> {
  const { parties, rows } = seen[algorithm];
  const { outcomes } = rows.find((row) => row.token === token)!;
  return Object.fromEntries(parties.map((party, at) => [party, outcomes[at]!]));
}

describe.each(ALGORITHMS)('%s', (algorithm) => {
  test('I-031 I-032 every third party that knows the algorithm takes a token for what RFC 9068 says', () => {
    const { issuer, token } = guarded[algorithm].lab;
    expect(jose.decodeProtectedHeader(token)).toMatchObject({ alg: algorithm, typ: 'at+jwt' });
    expect(jose.decodeJwt(token)).toMatchObject({ iss: issuer, sub: 'alice' });
    for (const [party, outcome] of Object.entries(done(algorithm, GOOD)))
      expect([party, outcome === ACCEPTED]).toEqual([party, !UNSUPPORTED.includes(`${party} ${algorithm}`)]);
  });

  test('nobody lets in what is forged, over, or for another group', () => {
    for (const token of [...FORGED, 'expired', 'of another group'] as const) {
      for (const [party, outcome] of Object.entries(done(algorithm, token)))
        expect(`${token}, ${party}: ${outcome}`).toContain(': refused: ');
    }
  });

  test('nobody asks for keys where a token says that they are, and where they could be had', async () => {
    expect([lured, asked.filter((url) => url.includes('evil'))]).toEqual([[], []]);
    const keys = jose.createRemoteJWKSet(new URL(doorway.to(LURE)));
    const { issuer } = guarded[algorithm].lab;
    expect((await jose.jwtVerify(tokens[algorithm]['own key, `jku`'], keys)).payload.iss).toBe(issuer);
  });

  // COVEY_WRITE_THIRD_PARTIES=1 npx vitest run --project postgres test/third-parties
  test('the page says what each third party did with each token', () => {
    const page = readFileSync(PAGE, 'utf8');
    if (process.env['COVEY_WRITE_THIRD_PARTIES']) writeFileSync(PAGE, rewritten(page, algorithm, seen[algorithm]));
    expect(outcomesOn(readFileSync(PAGE, 'utf8'), algorithm)).toEqual(seen[algorithm]);
  });

  test('openid-client and oauth4webapi ask about a token and about a secret', async () => {
    const { lab, secret } = guarded[algorithm];
    const config = await configured(lab, secret, fetched);
    const server = await discovered(lab, fetched);
    expect(config.serverMetadata()).toMatchObject({ ...server });
    const client = { client_id: 'openid-client' };
    const options = { [oauth.customFetch]: fetched };
    for (const shown of [lab.token, lab.secret]) {
      const answer = await openid.tokenIntrospection(config, shown);
      expect(answer).toMatchObject({ active: true, iss: lab.issuer, aud: lab.group, groups: [lab.group] });
      const response = await oauth.introspectionRequest(
        server,
        client,
        oauth.ClientSecretBasic(secret),
        shown,
        options,
      );
      const { exp: _, ...same } = answer;
      expect(await oauth.processIntrospectionResponse(server, client, response)).toMatchObject(same);
    }
    await expect(openid.tokenIntrospection(await configured(lab, 'guess', fetched), lab.token)).rejects.toMatchObject({
      code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
      status: 401,
    });
    await expect(openid.tokenIntrospection(config, 'x'.repeat(16_385))).rejects.toMatchObject({
      error: 'invalid_request',
      status: 400,
    });
  });
});

test('I-033 I-036 a token is as long good as the answer says that brought it, which is minutes', () => {
  for (const { lab } of Object.values(guarded)) {
    const answers = world.network.sent({ to: host(lab.domain), what: '/ocm/token' }).map(({ answer }) => answer!);
    expect(answers).toHaveLength(2);
    for (const { body } of answers) {
      const { access_token: token, expires_in } = JSON.parse(fromUtf8(body)) as TokenAnswer;
      const { iat, exp } = jose.decodeJwt(token);
      expect(exp! - iat!).toBe(expires_in);
      expect(expires_in).toBeLessThanOrEqual(600);
    }
  }
});

test('the reverse proxy of the handbook lets through whatever a library asks for', () => {
  const locations = [...readFileSync('docs/operations.md', 'utf8').matchAll(/^ *location (\S+)/gm)].map(
    ([, path]) => path!,
  );
  const paths = [...new Set(asked.map((url) => new URL(url).pathname))];
  expect(paths).toContain('/ocm/introspect');
  expect(paths.filter((path) => !locations.some((open) => path.startsWith(open)))).toEqual([]);
});

test('the page shows the directives that were tried', () => {
  const issuer = 'https://cloud.example.org';
  const group = { algorithm: 'ES256', issuer, group: 'lab@cloud.example.org' } as const;
  const page = readFileSync(PAGE, 'utf8');
  const asking = byIntrospection(group, issuer, 'SECRET').directives;
  expect(page).toContain(byKeys(group, issuer).directives.join('\n  '));
  expect(page).toContain(asking.find((line) => line.startsWith('OAuth2TokenVerify')));
});

const both = ({ keys, asks }: Guarded): readonly Folder[] => [keys, asks];
const status = async ({ name }: Folder, token: string) => (await dav(apache, `${name}/data.csv`, token)).status;
/** As the server never would. */
const signedBy = ({ lab }: Guarded, claims: jose.JWTPayload): Promise<string> => {
  const { kid, alg, privateKey } = world.server(lab.domain).get(TokenKeys).current();
  return new jose.SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'at+jwt' }).sign(privateKey);
};
const put = (text: string) => ({ method: 'PUT', body: text });

test('Apache serves WebDAV to the group alone, whether it verifies or asks', async () => {
  const { token, otherToken } = guarded.ES256.lab;
  const propfind = { method: 'PROPFIND' };
  for (const { name } of both(guarded.ES256)) {
    expect(await dav(apache, `${name}/data.csv`, token)).toMatchObject({ status: 200, text: 'north,271.3\n' });
    const listed = await dav(apache, `${name}/`, token, propfind);
    expect([listed.status, listed.text]).toEqual([207, expect.stringContaining(`<D:href>/${name}/</D:href>`)]);
    for (const init of [{}, propfind, put('x')]) {
      const shown = (text?: string) => dav(apache, `${name}/data.csv`, text, init);
      expect(await shown()).toMatchObject({ status: 401, error: 'invalid_request' });
      expect(await shown('x')).toMatchObject({ status: 401, error: 'invalid_token' });
      expect(await shown(otherToken)).toMatchObject({ status: 401, error: undefined });
    }
  }
});

test('Apache takes files from those who may write by the share', async () => {
  const { alice, bob, share, token } = guarded.RS256.lab;
  const [keys, asks] = both(guarded.RS256).map(({ name }) => `${name}/new.csv`) as [string, string];
  for (const path of [keys, asks]) expect(await dav(apache, path, token, put('no'))).toMatchObject({ status: 401 });
  await alice.changePermissions(share, ['read', 'write']);
  await world.settle();
  // Who asks is told of it at once.
  expect(await dav(apache, keys, token, put('too early'))).toMatchObject({ status: 401 });
  expect(await dav(apache, asks, token, put('south,1'))).toMatchObject({ status: 201 });
  const { access_token: next } = (await bob.open('data-RS256')) as Opening;
  expect(await dav(apache, keys, next, put('south,2'))).toMatchObject({ status: 201 });
  expect(await dav(apache, asks, next, put('south,3'))).toMatchObject({ status: 204 });
  expect([apache.read(keys), apache.read(asks)]).toEqual(['south,2', 'south,3']);
});

test('a group whose name differs by a blank is another group to Apache, once the audience is compared', async () => {
  const { lab, keys, asks, naive } = guarded.ES256;
  await lab.alice.share(await lab.alice.createGroup('l ab', [lab.bob]), 'blank');
  await world.settle();
  const { access_token: token } = (await lab.bob.open('blank')) as Opening;
  expect(jose.decodeJwt(token).aud).toBe('l ab@es256.test');
  for (const folder of [keys, asks]) expect(await status(folder, token)).toBe(401);
  expect(await status(naive, token)).toBe(200);
});

test('what one issuer signed for the group of another one stays refused, once results are not kept', async () => {
  const [mine, theirs] = [guarded.ES256, guarded.RS256];
  const token = await signedBy(theirs, jose.decodeJwt(mine.lab.token));
  const shown = async (kind: 'keys' | 'naive') => [await status(theirs[kind], token), await status(mine[kind], token)];
  expect(await shown('keys')).toEqual([401, 401]);
  expect(await shown('naive')).toEqual([401, 200]);
});

test('Apache takes no token from a future that is far off', async () => {
  const { keys, lab } = guarded.ES256;
  const issued = async (seconds: number) => {
    const iat = Math.floor(Date.now() / 1000) + seconds;
    return status(keys, await signedBy(guarded.ES256, { ...jose.decodeJwt(lab.token), iat }));
  };
  expect([await issued(5), await issued(15)]).toEqual([200, 401]);
});

test('who was removed is refused at once where Apache asks, and where it verifies when the token ends', async () => {
  const { lab, keys, asks } = guarded.ES256;
  await lab.alice.remove(lab.group, lab.bob);
  await world.settle();
  expect(await dav(apache, `${asks.name}/data.csv`, lab.token)).toMatchObject({ status: 401, error: 'invalid_token' });
  expect(await dav(apache, `${keys.name}/data.csv`, lab.token)).toMatchObject({ status: 200 });
});

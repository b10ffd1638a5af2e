import * as jose from 'jose';
import { describe, expect, test } from 'vitest';
import { AccessVerifier, type AccessPolicy } from '../../src/integration/access-verifier.js';
import { host } from '../../src/kernel/address.js';
import { CLAIMS, Issuer, NOW, now } from './issuer.js';

const POLICY: AccessPolicy = { issuers: [host('a.test')] };
const verifier = (issuer: Issuer, policy = POLICY, at = NOW) => new AccessVerifier(policy, issuer.read, () => at);
const refused = (code: string) => expect.objectContaining({ code });
const issued = () => new Issuer().key('a.test#token');

test.each(['ES256', 'ES384', 'RS256', 'Ed25519'])('a token that jose signed with %s is accepted', async (alg) => {
  const issuer = await new Issuer().key('a.test#token', alg);
  const access = await verifier(issuer).verify(await issuer.token('a.test#token'));
  expect(access).toMatchObject({
    issuer: 'a.test',
    owner: 'alice@a.test',
    audience: 'lab@a.test',
    expiresAt: new Date((now + 300) * 1000),
    group: { epoch: 7, recipient: 'b.test' },
  });
});

test('the key is found from the name of the issuer alone, and only once', async () => {
  const issuer = await issued();
  const verify = verifier(issuer);
  const token = await issuer.token('a.test#token');
  await Promise.all([verify.verify(token), verify.verify(token)]);
  await verify.verify(token);
  expect(issuer.asked).toEqual(['https://a.test/.well-known/ocm', 'https://a.test/ocm/jwks']);
});

describe('a token is refused', () => {
  test('when its issuer is not allowed, before any key is fetched', async () => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, iss: 'https://evil.test' });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.issuer'));
    expect(issuer.asked).toEqual([]);
  });

  test.each(['http://a.test', 'https://a.test/tenant', 'https://u@a.test', 'a.test', 'https://a.test?x', 7])(
    'when its issuer is %s',
    async (iss) => {
      const issuer = await issued();
      const token = await issuer.token('a.test#token', { ...CLAIMS, iss });
      await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.issuer'));
    },
  );

  test('when nobody is allowed at all', async () => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token');
    await expect(verifier(issuer, { issuers: [] }).verify(token)).rejects.toEqual(refused('access.issuer'));
  });

  test('when it says alg none', async () => {
    const issuer = await issued();
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none', typ: 'at+jwt', kid: 'a.test#token' })}.${part(CLAIMS)}.`;
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.signature'));
  });

  test('when it is a MAC under the public key (HS256 for ES256)', async () => {
    const issuer = await issued();
    const secret = Buffer.from(JSON.stringify(issuer.publicKey('a.test#token')));
    const token = await new jose.SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'a.test#token' })
      .sign(secret);
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.signature'));
  });

  test('when the published key is a secret one', async () => {
    const issuer = await issued();
    issuer.publish({ kty: 'oct', k: 'AAAA', alg: 'HS256', kid: 'mac' });
    const token = await new jose.SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'mac' })
      .sign(new Uint8Array(3));
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.key'));
  });

  test('when its kid is unknown, or names a key twice', async () => {
    const issuer = await issued();
    const other = await new Issuer().key('a.test#other');
    const unknown = await other.token('a.test#other');
    await expect(verifier(issuer).verify(unknown)).rejects.toEqual(refused('access.key'));
    issuer.publish(issuer.publicKey('a.test#token'));
    const token = await issuer.token('a.test#token');
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.key'));
  });

  test('when another key of the same kid signed it', async () => {
    const issuer = await issued();
    const thief = await issued();
    const token = await thief.token('a.test#token');
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.signature'));
  });

  test.each(['JWT', 'dpop+jwt', undefined])('when its typ is %s', async (typ) => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', CLAIMS, { typ });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.malformed'));
  });

  test('when it has a critical extension', async () => {
    const issuer = await issued();
    const [, payload, signature] = (await issuer.token('a.test#token')).split('.');
    const header = { alg: 'ES256', kid: 'a.test#token', typ: 'at+jwt', crit: ['b64'], b64: true };
    const token = [Buffer.from(JSON.stringify(header)).toString('base64url'), payload, signature].join('.');
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.malformed'));
  });

  test('when a claim was changed behind the signature', async () => {
    const issuer = await issued();
    const [header, , signature] = (await issuer.token('a.test#token')).split('.');
    const claims = Buffer.from(JSON.stringify({ ...CLAIMS, aud: 'all@a.test' })).toString('base64url');
    const token = [header, claims, signature].join('.');
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.signature'));
  });

  test.each([
    ['expired', { exp: now }],
    ['of a share that has expired', { ocm_ip: { ...CLAIMS.ocm_ip, expiration: now } }],
    ['not valid before tomorrow', { nbf: now + 86_400 }],
    ['issued in the future', { iat: now + 3600 }],
  ])('when it is %s', async (_, change) => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, ...change });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.expired'));
  });

  test.each(['sub', 'aud', 'exp', 'client_id', 'ocm_ip'])('when it lacks %s', async (claim) => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, [claim]: undefined });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.claims'));
  });

  test.each([
    ['two audiences', { aud: ['lab@a.test', 'all@a.test'] }],
    ['an audience that is no address', { aud: 'https://files.test' }],
    ['a group without members', { ocm_group: { ...CLAIMS.ocm_group, members: [] } }],
  ])('when it has %s', async (_, change) => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, ...change });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.claims'));
  });

  test.each(['', 'a', 'a.b', 'a.b.c', 'e30.e30.e30.e30', 'x'.repeat(20_000)])(
    'when it is %#: no JWT',
    async (token) => {
      await expect(verifier(await issued()).verify(token)).rejects.toEqual(refused('access.malformed'));
    },
  );

  test('when the signature is padded', async () => {
    const issuer = await issued();
    const token = `${await issuer.token('a.test#token')}==`;
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.malformed'));
  });
});

test('a small RSA key is not trusted', async () => {
  const issuer = await issued();
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    { name: 'RSASSA-PKCS1-v1_5', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
    true,
    ['sign', 'verify'],
  );
  issuer.publish({ ...(await jose.exportJWK(publicKey)), kid: 'small', alg: 'RS256' });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'RS256', typ: 'at+jwt', kid: 'small' })}.${part(CLAIMS)}`;
  const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', privateKey, Buffer.from(signed));
  const token = `${signed}.${Buffer.from(signature).toString('base64url')}`;
  await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.key'));
});

test('claims and share data that are not known are ignored', async () => {
  const issuer = await issued();
  const more = {
    ...CLAIMS,
    scope: 'x',
    ocm_ip: { ...CLAIMS.ocm_ip, later: {}, protocol: { ssh: {}, ...CLAIMS.ocm_ip.protocol } },
  };
  const access = await verifier(issuer).verify(await issuer.token('a.test#token', more));
  expect(access.share.protocol.webdav?.uri).toBe('data.tar');
});

test('plain HTTP issuers are for development', async () => {
  const issuer = await new Issuer('http://127.0.0.1:8401').key('k');
  const token = await issuer.token('k', { ...CLAIMS, iss: 'http://127.0.0.1:8401' });
  const issuers = [host('127.0.0.1:8401')];
  await expect(verifier(issuer, { issuers }).verify(token)).rejects.toEqual(refused('access.issuer'));
  expect(await verifier(issuer, { issuers, plainHttp: true }).verify(token)).toMatchObject({
    issuer: '127.0.0.1:8401',
  });
});

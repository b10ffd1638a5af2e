import * as jose from 'jose';
import { describe, expect, test } from 'vitest';
import { isFault, type Pairing, ProtocolServer } from '../../src/integration/protocol-server.js';
import { CLAIMS, Issuer, NOW, now } from './issuer.js';

const PAIRED: readonly Pairing[] = [{ domain: 'a.test', modes: ['self-contained'] }];
const verifier = (issuer: Issuer, pairings = PAIRED, more = {}) =>
  new ProtocolServer({ pairings, read: issuer.read, now: () => NOW, ...more });
const refused = (code: string) => expect.objectContaining({ code });
const issued = () => new Issuer().key('a.test#token');
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test.each(['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'Ed25519'])(
  'a token that jose signed with %s is accepted',
  async (alg) => {
    const issuer = await new Issuer().key('a.test#token', alg);
    const access = await verifier(issuer).verify(await issuer.token('a.test#token'));
    expect(access).toMatchObject({
      issuer: 'a.test',
      owner: 'alice@a.test',
      audience: 'lab@a.test',
      expiresAt: new Date((now + 300) * 1000),
      group: { epoch: 7, recipient: 'b.test' },
    });
  },
);

test('I-047 the key is found from the name of the issuer alone, and only once', async () => {
  const issuer = await issued();
  const verify = verifier(issuer);
  const token = await issuer.token('a.test#token');
  await Promise.all([verify.verify(token), verify.verify(token)]);
  await verify.verify(token);
  expect(issuer.asked).toEqual(['https://a.test/.well-known/ocm', 'https://a.test/ocm/jwks']);
});

describe('a token is refused', () => {
  test('I-047 when its issuer is not paired, before any key is fetched', async () => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, iss: 'https://evil.test' });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.issuer'));
    expect(issuer.asked).toEqual([]);
  });

  test.each([
    'http://a.test',
    'https://a.test/tenant',
    'https://u@a.test',
    'a.test',
    'https://a.test?x',
    'https://_.test',
    7,
    undefined,
  ])('I-046 when its issuer is %s', async (iss) => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, iss });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.issuer'));
  });

  test('I-009 when nobody is paired at all', async () => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token');
    await expect(verifier(issuer, []).verify(token)).rejects.toEqual(refused('access.issuer'));
    expect(issuer.asked).toEqual([]);
  });

  test('I-010 when it brings ocm_ip along, and its issuer is not paired for that', async () => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token');
    const pairings: Pairing[] = [
      { domain: 'a.test', modes: ['provisioned'] },
      { domain: 'b.test', modes: ['self-contained'] },
    ];
    await expect(verifier(issuer, pairings).verify(token)).rejects.toEqual(refused('access.mode'));
  });

  test('I-048 when it says alg none', async () => {
    const issuer = await issued();
    const token = `${part({ alg: 'none', typ: 'at+jwt', kid: 'a.test#token' })}.${part(CLAIMS)}.`;
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.algorithm'));
  });

  test('I-048 when it is a MAC under the public key (HS256 for ES256)', async () => {
    const issuer = await issued();
    const secret = Buffer.from(JSON.stringify(issuer.publicKey('a.test#token')));
    const token = await new jose.SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'a.test#token' })
      .sign(secret);
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.algorithm'));
  });

  test('I-048 when the published key is a secret one', async () => {
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

  test('I-048 when it names another key of its issuer than the one that signed it', async () => {
    const issuer = await (await issued()).key('a.test#other');
    const same = await issuer.token('a.test#token', CLAIMS, { kid: 'a.test#other' });
    await expect(verifier(issuer).verify(same)).rejects.toEqual(refused('access.signature'));
    await issuer.key('a.test#edwards', 'Ed25519');
    const otherKind = await issuer.token('a.test#token', CLAIMS, { kid: 'a.test#edwards' });
    await expect(verifier(issuer).verify(otherKind)).rejects.toEqual(refused('access.algorithm'));
  });

  test('I-051 when a paired server signed it in the name of another', async () => {
    const a = await issued();
    const b = await new Issuer('https://b.test').key('a.test#token');
    const read = (url: string) => (url.startsWith('https://a.test') ? a : b).read(url);
    const pairings: Pairing[] = [...PAIRED, { domain: 'b.test', modes: ['self-contained'] }];
    const token = await b.token('a.test#token');
    await expect(verifier(a, pairings, { read }).verify(token)).rejects.toEqual(refused('access.signature'));
    const own = await b.token('a.test#token', { ...CLAIMS, iss: 'https://b.test' });
    expect(await verifier(a, pairings, { read }).verify(own)).toMatchObject({
      issuer: 'b.test',
      owner: 'alice@b.test',
    });
  });

  test.each(['jku', 'x5u', 'jwk', 'x5c', 'crit'])(
    'I-047 when it brings a key or an extension along: %s',
    async (name) => {
      const issuer = await issued();
      const [, payload, signature] = (await issuer.token('a.test#token')).split('.');
      const header = { alg: 'ES256', kid: 'a.test#token', typ: 'at+jwt', [name]: ['https://evil.test/keys'] };
      const token = [part(header), payload, signature].join('.');
      await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.header'));
      expect(issuer.asked).toEqual([]);
    },
  );

  test('when another key of the same kid signed it', async () => {
    const issuer = await issued();
    const thief = await issued();
    const token = await thief.token('a.test#token');
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.signature'));
  });

  test.each(['JWT', 'dpop+jwt', undefined])('I-048 when its typ is %s', async (typ) => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', CLAIMS, { typ });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.type'));
  });

  test('when a claim was changed behind the signature', async () => {
    const issuer = await issued();
    const [header, , signature] = (await issuer.token('a.test#token')).split('.');
    const claims = Buffer.from(JSON.stringify({ ...CLAIMS, aud: 'all@a.test' })).toString('base64url');
    const token = [header, claims, signature].join('.');
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.signature'));
  });

  test.each([
    ['expired', 'access.expired', { exp: now }],
    ['of a share that has expired', 'access.expired', { ocm_ip: { ...CLAIMS.ocm_ip, expiration: now } }],
    ['not valid before tomorrow', 'access.early', { nbf: now + 86_400 }],
    ['issued in the future', 'access.early', { iat: now + 3600 }],
  ])('I-048 when it is %s', async (_, code, change) => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, ...change });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused(code));
  });

  test('I-049 when no share is known for it', async () => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, ocm_ip: undefined });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.no-share'));
  });

  test.each(['sub', 'aud', 'exp', 'client_id'])('I-048 when it lacks %s', async (claim) => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, [claim]: undefined });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.claims'));
  });

  test.each([
    ['two audiences', { aud: ['lab@a.test', 'all@a.test'] }],
    ['an audience that is no address', { aud: 'https://files.test' }],
    ['share data that cannot be read', { ocm_ip: { ...CLAIMS.ocm_ip, protocol: undefined } }],
    ['a group without members', { ocm_group: { ...CLAIMS.ocm_group, members: [] } }],
  ])('when it has %s', async (_, change) => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, ...change });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.claims'));
  });

  test.each(['', 'a', 'a.b', 'a.b.c', 'e30.e30.e30.e30', CLAIMS.client_id])(
    'I-030 I-053 when it is no JWT but a secret or a providerId: %j',
    async (token) => {
      await expect(verifier(await issued()).verify(token)).rejects.toEqual(refused('access.malformed'));
    },
  );

  test('when it is longer than any that is meant', async () => {
    const issuer = await issued();
    const token = await issuer.token('a.test#token', { ...CLAIMS, more: 'x'.repeat(20_000) });
    await expect(verifier(issuer).verify(token)).rejects.toEqual(refused('access.too-large'));
  });

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

test('I-052 what comes with a token must say the same of its end', async () => {
  const issuer = await issued();
  const token = await issuer.token('a.test#token');
  const hinted = (seconds: number) => verifier(issuer).verify(token, { expiresAt: new Date(seconds * 1000) });
  expect(await hinted(now + 300)).toMatchObject({ owner: 'alice@a.test' });
  for (const seconds of [now + 299, now + 301, NaN]) {
    await expect(hinted(seconds)).rejects.toEqual(refused('access.expiry-differs'));
  }
});

test('I-057 no part of what was shown is in a fault, nor in what caused it', async () => {
  const issuer = await issued();
  const secret = 'c2VjcmV0LXNlY3JldA';
  const header = part({ alg: 'ES256', kid: 'k', typ: 'at+jwt' });
  const shown = [secret, `${secret}.${secret}.x`, `${header}.${secret}.x`, `${header}.e30.${secret}=`];
  for (const credential of shown) {
    const fault: unknown = await verifier(issuer)
      .verify(credential)
      .catch((error: unknown) => error);
    for (let error = fault; error instanceof Error; error = error.cause) {
      expect(`${error.message} ${JSON.stringify(isFault(error) ? error.facts : {})}`).not.toMatch(/c2VjcmV0|secret/);
    }
  }
});

test('plain HTTP issuers are for development', async () => {
  const issuer = await new Issuer('http://127.0.0.1:8401').key('k');
  const token = await issuer.token('k', { ...CLAIMS, iss: 'http://127.0.0.1:8401' });
  const pairings: Pairing[] = [{ domain: '127.0.0.1:8401', modes: ['self-contained'] }];
  await expect(verifier(issuer, pairings).verify(token)).rejects.toEqual(refused('access.issuer'));
  expect(await verifier(issuer, pairings, { plainHttp: true }).verify(token)).toMatchObject({
    issuer: '127.0.0.1:8401',
  });
});

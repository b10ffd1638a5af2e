import { describe, expect, test } from 'vitest';
import { parseJwkSet, verificationKey } from '../../src/ocm/jwk-set.js';
import { pair } from './signing.js';

const { jwk } = pair('a.example.org#1');
const select =
  (key: object, kid = jwk.kid) =>
  () =>
    verificationKey(parseJwkSet({ keys: [key] }), kid);

test('the key with the kid is found among others', () => {
  const other = pair('a.example.org#2', 'ES256').jwk;
  expect(verificationKey(parseJwkSet({ keys: [other, jwk] }), jwk.kid)).toMatchObject({ kid: jwk.kid, alg: 'Ed25519' });
});

test('no key with the kid', () => {
  expect(select(jwk, 'a.example.org#9')).toThrow('signature.key-unknown');
});

describe('a key is refused', () => {
  test.each([
    ['with the algorithm of a MAC', { kid: jwk.kid, kty: 'oct', alg: 'HS256', k: 'AAAA' }],
    ['with the algorithm none', { ...jwk, alg: 'none' }],
    ['of another type than its algorithm', { ...jwk, alg: 'ES256' }],
    ['on another curve than its algorithm', { ...pair(jwk.kid, 'ES256').jwk, alg: 'ES384' }],
    ['that is for encryption', { ...jwk, use: 'enc' }],
    ['that is not for verifying', { ...jwk, key_ops: ['sign'] }],
    ['that is broken', { ...jwk, x: 'AAAA' }],
    ['that is a short RSA key', { kid: jwk.kid, kty: 'RSA', alg: 'RS256', e: 'AQAB', n: 'w'.repeat(171) }],
  ])('%s', (_, key) => {
    expect(select(key)).toThrow('signature.key-unusable');
  });

  test('without kid or without alg, as if it were not there', () => {
    const { alg: _, ...rest } = jwk;
    expect(select(rest)).toThrow('signature.key-unknown');
  });

  test('when another one has the same kid', () => {
    const set = parseJwkSet({ keys: [jwk, pair(jwk.kid).jwk] });
    expect(() => verificationKey(set, jwk.kid)).toThrow('signature.key-unusable');
  });
});

test('private members are not kept', () => {
  expect(parseJwkSet({ keys: [{ ...jwk, d: 'secret' }] }).keys).toEqual([jwk]);
});

test.each([[null], [{}], [{ keys: {} }], [{ keys: Array.from({ length: 101 }, () => jwk) }]])(
  'what is not a JWK Set of a bearable size is refused (%#)',
  (body) => {
    expect(() => parseJwkSet(body)).toThrow('peer.keys-malformed');
  },
);

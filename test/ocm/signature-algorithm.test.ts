import { expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import {
  algParameter,
  isSignatureAlgorithm,
  publicKey,
  signBytes,
  unforgeablePart,
  verifyBytes,
} from '../../src/ocm/signature-algorithm.js';
import { pair } from './signing.js';

const bytes = utf8('base');
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

test('ECDSA signatures are r and s of fixed length', () => {
  const { signing } = pair('k', 'ES256');
  expect(signBytes('ES256', signing.privateKey, bytes)).toHaveLength(64);
});

test('the twin of an ECDSA signature verifies too, but has the same unforgeable part', () => {
  const { signing, verification } = pair('k', 'ES256');
  const signature = signBytes('ES256', signing.privateKey, bytes);
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
  const flipped = Buffer.from((ORDER - s).toString(16).padStart(64, '0'), 'hex');
  const twin = new Uint8Array(Buffer.concat([signature.subarray(0, 32), flipped]));
  expect(verifyBytes('ES256', verification.key, bytes, twin)).toBe(true);
  expect(unforgeablePart('ES256', twin)).toEqual(unforgeablePart('ES256', signature));
  expect(unforgeablePart('Ed25519', twin)).toBe(twin);
});

test('MACs, none and inherited names are no algorithms', () => {
  for (const name of ['HS256', 'none', 'toString', '', 5, undefined]) expect(isSignatureAlgorithm(name)).toBe(false);
});

test('names of the HTTP registry', () => {
  expect((['Ed25519', 'ES256', 'ES384', 'RS256', 'PS512', 'PS256', 'ES512'] as const).map(algParameter)).toEqual([
    'ed25519',
    'ecdsa-p256-sha256',
    'ecdsa-p384-sha384',
    'rsa-v1_5-sha256',
    'rsa-pss-sha512',
    undefined,
    undefined,
  ]);
});

test('a JWK with a private part gives a public key', () => {
  const { signing } = pair('k');
  const jwk = signing.privateKey.export({ format: 'jwk' });
  expect(publicKey('Ed25519', jwk as never)?.type).toBe('public');
});

test('a broken signature is no error', () => {
  const { verification } = pair('k', 'ES256');
  expect(verifyBytes('ES256', verification.key, bytes, new Uint8Array(3))).toBe(false);
  expect(verifyBytes('Ed25519', pair('k').verification.key, bytes, new Uint8Array())).toBe(false);
});

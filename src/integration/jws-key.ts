import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { Fault } from '../kernel/fault.js';
import type { Jwt } from './jwt.js';

const short = z.string().min(1).max(2000);
const jwk = z.object({
  kid: short,
  kty: z.enum(['EC', 'OKP', 'RSA']),
  alg: short,
  use: z.literal('sig').optional(),
  crv: short.optional(),
  x: short.optional(),
  y: short.optional(),
  n: short.optional(),
  e: short.optional(),
});
/** A public key that signs. Private parts that somebody published are not read. */
export type Jwk = z.output<typeof jwk>;

const set = z.object({ keys: z.array(z.unknown()).max(200) });

/** The signing keys of a JWK Set; entries of other kinds are passed over (RFC 7517 section 5). Throws `access.key`. */
export function readJwks(body: unknown): Jwk[] {
  const read = set.safeParse(body);
  if (!read.success) throw new Fault('access.key', { what: 'not a JWK Set' });
  return read.data.keys.flatMap((entry) => {
    const key = jwk.safeParse(entry);
    return key.success ? [key.data] : [];
  });
}

/** RSA keys below this are not worth trusting. */
const LEAST_RSA_BITS = 2048;

interface Algorithm {
  readonly fits: (key: KeyObject) => boolean;
  readonly holds: (key: KeyObject, signed: Uint8Array, signature: Uint8Array) => boolean;
}

const curve = (key: KeyObject) => key.asymmetricKeyDetails?.namedCurve;
const rsa = (key: KeyObject) =>
  key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= LEAST_RSA_BITS;
const ecdsa = (hash: string, name: string): Algorithm => ({
  fits: (key) => key.asymmetricKeyType === 'ec' && curve(key) === name,
  holds: (key, signed, signature) => verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature),
});
const ed25519: Algorithm = {
  fits: (key) => key.asymmetricKeyType === 'ed25519',
  holds: (key, signed, signature) => verify(null, signed, key, signature),
};

/** Asymmetric ones only: neither `none` nor a MAC can be named. `EdDSA` is the older name of `Ed25519`. RFC 9864 */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['ES256', ecdsa('sha256', 'prime256v1')],
  ['ES384', ecdsa('sha384', 'secp384r1')],
  ['RS256', { fits: rsa, holds: (key, signed, signature) => verify('sha256', signed, key, signature) }],
  ['Ed25519', ed25519],
  ['EdDSA', ed25519],
]);

const same = (alg: string) => (alg === 'EdDSA' ? 'Ed25519' : alg);

/**
 * Checks a signature with the key that its `kid` names. The algorithm is that of the key; what the token says must agree.
 * OCM-IP, Token Verification step 3. Throws `access.key` or `access.signature`.
 */
export function verifyJws(jwt: Jwt, keys: readonly Jwk[]): void {
  const named = keys.filter(({ kid }) => kid === jwt.kid);
  const [key] = named;
  if (key === undefined || named.length > 1) throw new Fault('access.key', { kid: jwt.kid, found: named.length });
  const algorithm = ALGORITHMS.get(key.alg);
  if (algorithm === undefined || same(key.alg) !== same(jwt.alg)) {
    throw new Fault('access.signature', { alg: jwt.alg, keyAlg: key.alg });
  }
  const publicKey = imported(key);
  if (!algorithm.fits(publicKey)) throw new Fault('access.key', { kid: jwt.kid, alg: key.alg });
  if (!algorithm.holds(publicKey, jwt.signed, jwt.signature)) throw new Fault('access.signature', { kid: jwt.kid });
}

function imported(key: Jwk): KeyObject {
  try {
    return createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
  } catch (cause) {
    throw new Fault('access.key', { kid: key.kid }, cause);
  }
}

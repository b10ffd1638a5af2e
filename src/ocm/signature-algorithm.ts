import { constants, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

interface Algorithm {
  readonly kty: string;
  readonly crv?: string;
  /** Its name in the HTTP signature algorithm registry, when it has one. RFC 9421 section 6.2 */
  readonly parameter?: string;
  /** Node's name of the hash; Ed25519 has its own. */
  readonly hash: string | null;
  readonly pss?: true;
}

/** Registered asymmetric JOSE algorithms that we verify. OCM core section "Keys and Algorithms"; no MAC, no `none`. */
const ALGORITHMS = {
  Ed25519: { kty: 'OKP', crv: 'Ed25519', parameter: 'ed25519', hash: null },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', parameter: 'ed25519', hash: null },
  ES256: { kty: 'EC', crv: 'P-256', parameter: 'ecdsa-p256-sha256', hash: 'sha256' },
  ES384: { kty: 'EC', crv: 'P-384', parameter: 'ecdsa-p384-sha384', hash: 'sha384' },
  ES512: { kty: 'EC', crv: 'P-521', hash: 'sha512' },
  RS256: { kty: 'RSA', parameter: 'rsa-v1_5-sha256', hash: 'sha256' },
  RS384: { kty: 'RSA', hash: 'sha384' },
  RS512: { kty: 'RSA', hash: 'sha512' },
  PS256: { kty: 'RSA', hash: 'sha256', pss: true },
  PS384: { kty: 'RSA', hash: 'sha384', pss: true },
  PS512: { kty: 'RSA', parameter: 'rsa-pss-sha512', hash: 'sha512', pss: true },
} as const satisfies Record<string, Algorithm>;

/** The `alg` of a JWK that can verify an HTTP Message Signature. */
export type SignatureAlgorithm = keyof typeof ALGORITHMS;

const SHORTEST_RSA_KEY = 2048;

const of = (alg: SignatureAlgorithm): Algorithm => ALGORITHMS[alg];

export const isSignatureAlgorithm = (alg: unknown): alg is SignatureAlgorithm =>
  typeof alg === 'string' && Object.hasOwn(ALGORITHMS, alg);

/** What the `alg` parameter of a signature may say for this algorithm; undefined when it has to be absent. */
export const algParameter = (alg: SignatureAlgorithm): string | undefined => of(alg).parameter;

/** The public key of a JWK, or nothing when the key is not of the kind its `alg` needs, broken, or too weak. */
export function publicKey(alg: SignatureAlgorithm, jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  const { kty, crv } = of(alg);
  if (jwk['kty'] !== kty || (crv !== undefined && jwk['crv'] !== crv)) return undefined;
  const { x, y, n, e } = jwk;
  try {
    // Only public members: a JWK that carries its private key must not make a private key here.
    const key = createPublicKey({
      key: { kty, ...(crv ? { crv, x } : {}), ...(y ? { y } : {}), n, e } as never,
      format: 'jwk',
    });
    const weak = kty === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < SHORTEST_RSA_KEY;
    return weak ? undefined : key;
  } catch {
    return undefined;
  }
}

const withPadding = ({ kty, pss }: Algorithm, key: KeyObject) => ({
  key,
  // JOSE fixes ECDSA signatures to r || s, and the salt to the length of the hash.
  ...(kty === 'EC' ? { dsaEncoding: 'ieee-p1363' as const } : {}),
  ...(pss ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {}),
});

/** The JOSE primitive over the raw signature base. RFC 9421 section 3.3.7 */
export const signBytes = (alg: SignatureAlgorithm, key: KeyObject, bytes: Uint8Array): Uint8Array =>
  new Uint8Array(sign(of(alg).hash, bytes, withPadding(of(alg), key)));

export const verifyBytes = (
  alg: SignatureAlgorithm,
  key: KeyObject,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean => verify(of(alg).hash, bytes, withPadding(of(alg), key), signature);

/**
 * The part of a signature that cannot be changed without the private key. Of ECDSA that is r alone: from (r, s) anybody
 * can make (r, n - s), which verifies too and would pass for a signature not seen before.
 */
export const unforgeablePart = (alg: SignatureAlgorithm, signature: Uint8Array): Uint8Array =>
  of(alg).kty === 'EC' ? signature.subarray(0, signature.length / 2) : signature;

import { Fault } from '../kernel/fault.js';
import { type JwkSet, verificationKey, type VerificationKey } from '../ocm/jwk-set.js';
import { verifyBytes } from '../ocm/signature-algorithm.js';
import type { Jwt } from './jwt.js';

/** `EdDSA` is the older name of `Ed25519`. RFC 9864 */
const modern = (alg: string) => (alg === 'EdDSA' ? 'Ed25519' : alg);

/**
 * Checks a signature with the key that its `kid` names. The algorithm is that of the key, always an asymmetric one; what the
 * token says must agree. OCM-IP, Token Verification, I-048. Throws `access.key`, `access.algorithm` or `access.signature`.
 */
export function verifyJws({ alg, kid, signed, signature }: Jwt, keys: JwkSet): void {
  const key = named(keys, kid);
  if (modern(key.alg) !== modern(alg)) throw new Fault('access.algorithm', { alg, keyAlg: key.alg });
  if (!verifyBytes(key.alg, key.key, signed, signature)) throw new Fault('access.signature', { kid });
}

function named(keys: JwkSet, kid: string): VerificationKey {
  try {
    return verificationKey(keys, kid);
  } catch (cause) {
    throw new Fault('access.key', { kid }, cause);
  }
}

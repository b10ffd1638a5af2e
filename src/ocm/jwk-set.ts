import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { Fault } from '../kernel/fault.js';
import { isSignatureAlgorithm, publicKey, type SignatureAlgorithm } from './signature-algorithm.js';

/** A key as published. RFC 7517 section 4 */
export interface Jwk {
  readonly kid: string;
  readonly alg: string;
  readonly kty: string;
  readonly [member: string]: unknown;
}

/** RFC 7517 section 5 */
export interface JwkSet {
  readonly keys: readonly Jwk[];
}

/** A published key that can verify signatures. */
export interface VerificationKey {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  readonly key: KeyObject;
}

const MOST_KEYS = 100;
const member = z.string().min(1).max(8192);

const jwk = z.object({
  kid: member.max(512),
  alg: member.max(64),
  kty: member.max(64),
  crv: member.optional(),
  x: member.optional(),
  y: member.optional(),
  n: member.optional(),
  e: member.optional(),
  use: member.optional(),
  key_ops: z.array(member).max(20).optional(),
});

const jwkSet = z.object({ keys: z.array(z.unknown()).max(MOST_KEYS) });

/**
 * Reads a JWK Set. Keys without `kid` or `alg` are left out, since nothing may verify with them (OCM core section "Keys
 * and Algorithms"); so are private members. Throws `peer.keys-malformed`.
 */
export function parseJwkSet(body: unknown): JwkSet {
  const parsed = jwkSet.safeParse(body);
  if (!parsed.success) throw new Fault('peer.keys-malformed', {}, parsed.error);
  return { keys: parsed.data.keys.map((key) => jwk.safeParse(key).data).filter((key) => key !== undefined) };
}

/** Read once as long as a set is held: reading one takes longer than verifying with it. */
const opened = new WeakMap<Jwk, KeyObject>();

/**
 * The one key with this `kid`. Throws `signature.key-unknown`, or `signature.key-unusable` when its `alg` is a MAC,
 * `none` or unknown, when it is not for signatures, or when two keys share the `kid`.
 */
export function verificationKey(set: JwkSet, kid: string): VerificationKey {
  const [found, second] = set.keys.filter((key) => key.kid === kid);
  if (!found) throw new Fault('signature.key-unknown', { keyId: kid });
  const { alg, use, key_ops: operations } = found;
  const unusable = () => new Fault('signature.key-unusable', { keyId: kid, alg, use });
  const meant = (use ?? 'sig') === 'sig' && (!Array.isArray(operations) || operations.includes('verify'));
  if (second || !meant || !isSignatureAlgorithm(alg)) throw unusable();
  const key = opened.get(found) ?? publicKey(alg, found);
  if (!key) throw unusable();
  opened.set(found, key);
  return { kid, alg, key };
}

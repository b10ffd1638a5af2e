import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { utf8 } from '../../src/kernel/bytes.js';
import type { VerificationKey } from '../../src/ocm/jwk-set.js';
import type { RequestHead } from '../../src/ocm/message-signature.js';
import { signRequest, type SigningKey } from '../../src/ocm/message-signing.js';
import type { SignatureAlgorithm } from '../../src/ocm/signature-algorithm.js';

/** A key pair in the two forms in which signer and verifier hold it. */
export interface Pair {
  readonly signing: SigningKey;
  readonly verification: VerificationKey;
  readonly jwk: Readonly<Record<string, unknown>> & {
    readonly kid: string;
    readonly alg: string;
    readonly kty: string;
  };
}

const generated = (alg: SignatureAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } => {
  if (alg.startsWith('Ed')) return generateKeyPairSync('ed25519');
  if (alg.startsWith('ES'))
    return generateKeyPairSync('ec', { namedCurve: `P-${alg === 'ES512' ? 521 : alg.slice(2)}` });
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
};

export function pair(kid: string, alg: SignatureAlgorithm = 'Ed25519'): Pair {
  const { publicKey, privateKey } = generated(alg);
  const jwk = { ...(publicKey.export({ format: 'jwk' }) as { kty: string }), kid, alg };
  return { signing: { kid, alg, privateKey }, verification: { kid, alg, key: publicKey }, jwk };
}

export const NOW = new Date('2027-01-04T09:00:00Z');
export const body = utf8('{"senderDomain":"a.example.org"}');

export const plain: RequestHead = {
  method: 'POST',
  targetUri: 'https://b.example.org/ocm/notifications?x=%20y',
  fields: { host: 'b.example.org', 'content-type': 'application/json' },
};

/** `plain`, signed as we sign. */
export function signed(key: SigningKey, at = NOW, head = plain, bytes = body): RequestHead {
  return { ...head, fields: { ...head.fields, ...signRequest(head, bytes, key, at) } };
}

/** The same message with one field changed, or without it. */
export const withField = (
  head: RequestHead,
  name: string,
  change: (value: string) => string | undefined,
): RequestHead => ({
  ...head,
  fields: { ...head.fields, [name]: change(String(head.fields[name])) },
});

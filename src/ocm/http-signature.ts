import { createHash } from 'node:crypto';
import { isInnerList, parseDictionary, serializeItem, type Dictionary, type InnerList } from 'structured-headers';
import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { judgeDigest } from './content-digest.js';
import {
  verifyMessage,
  type Fields,
  type MessageHead,
  type RequestHead,
  type ResponseHead,
} from './message-signature.js';
import type { VerificationKey } from './jwk-set.js';
import { algParameter, unforgeablePart, verifyBytes } from './signature-algorithm.js';

export const OCM_TAG = 'ocm';
/** Ages of a signature in seconds, D-07 */
const OLDEST = 300;
const MOST_AHEAD = 60;

const LONGEST_KEY_ID = 512;

/** What the `ocm` signature of a message says of itself. Nothing of it is proved before `verifyClaim` returns. */
export interface Claim {
  readonly label: string;
  readonly keyId: string;
  readonly alg: string | undefined;
  readonly created: Date;
  readonly signature: Uint8Array;
}

interface Reading {
  readonly now: Date;
  /** A peer of OCM 1.4: its signature is known by the label `ocm` and has no tag. D-02 */
  readonly untagged?: boolean;
}

/** OCM core section "Signing Requirements" */
const REQUEST_COMPONENTS = ['"@method"', '"@target-uri"', '"content-digest"', '"content-length"'];

/** D-06: a response is bound to the very request that it answers. */
const responseComponents = (label: string): readonly string[] => [
  '"@status"',
  '"content-digest"',
  '"content-length"',
  '"@method";req',
  '"@target-uri";req',
  `"signature";key="${label}";req`,
];

const one = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
};

function dictionary(fields: Fields, name: 'signature' | 'signature-input'): Dictionary {
  const field = one(fields, name);
  if (field === undefined) throw new Fault('signature.missing', { field: name });
  try {
    return parseDictionary(field);
  } catch (cause) {
    throw new Fault('signature.malformed', { field: name }, cause);
  }
}

/** By the tag, whatever the label. OCM core section "Verification Requirements" */
function select(inputs: Dictionary, untagged: boolean): { label: string; input: InnerList } {
  const tagged = [...inputs].filter(([, [, parameters]]) => parameters.get('tag') === OCM_TAG);
  const old = inputs.get('ocm');
  if (tagged.length === 0 && untagged && old && !old[1].has('tag')) tagged.push(['ocm', old]);
  if (tagged.length > 1) throw new Fault('signature.ambiguous', { labels: tagged.map(([label]) => label) });
  const [label, input] = tagged[0] ?? [];
  if (label === undefined || input === undefined) throw new Fault('signature.missing', { labels: [...inputs.keys()] });
  if (!isInnerList(input)) throw new Fault('signature.malformed', { label });
  return { label, input };
}

/** Parameters have no order of meaning, so components are compared with theirs sorted. RFC 9421 section 2 */
const identity = ([name, parameters]: InnerList[0][number]): string =>
  serializeItem([name, new Map([...parameters].sort(([a], [b]) => (a < b ? -1 : 1)))]);

function requireCoverage(input: InnerList, required: readonly string[]): void {
  const covered = new Set(input[0].map(identity));
  const missing = required.filter((component) => !covered.has(component));
  if (missing.length > 0) throw new Fault('signature.incomplete', { missing });
}

function requireParameters([, parameters]: InnerList): { keyId: string; created: number; alg: string | undefined } {
  const [keyId, created, alg] = [parameters.get('keyid'), parameters.get('created'), parameters.get('alg')];
  if (typeof keyId !== 'string' || keyId === '' || keyId.length > LONGEST_KEY_ID) {
    throw new Fault('signature.incomplete', { missing: ['keyid'] });
  }
  if (typeof created !== 'number' || !Number.isInteger(created)) {
    throw new Fault('signature.incomplete', { missing: ['created'] });
  }
  if (alg !== undefined && typeof alg !== 'string') throw new Fault('signature.malformed', { parameter: 'alg' });
  return { keyId, created, alg };
}

/** D-07 */
function requireFreshness([, parameters]: InnerList, created: number, now: Date): void {
  const seconds = Math.floor(now.getTime() / 1000);
  if (created > seconds + MOST_AHEAD) throw new Fault('signature.future', { created, now: now.toISOString() });
  if (created < seconds - OLDEST) throw new Fault('signature.stale', { created, now: now.toISOString() });
  const expires = parameters.get('expires');
  if (expires === undefined) return;
  if (typeof expires !== 'number') throw new Fault('signature.malformed', { parameter: 'expires' });
  if (expires < seconds) throw new Fault('signature.expired', { expires, now: now.toISOString() });
}

function requireDigest(fields: Fields, body: Uint8Array): void {
  const verdict = judgeDigest(one(fields, 'content-digest') ?? '', body);
  if (verdict === 'unusable') throw new Fault('signature.digest-unusable');
  const length = one(fields, 'content-length');
  if (verdict === 'mismatch' || length !== String(body.length)) {
    throw new Fault('signature.digest-mismatch', { length: body.length });
  }
}

function read(fields: Fields, body: Uint8Array, required: readonly string[], { now, untagged }: Reading): Claim {
  const { label, input } = select(dictionary(fields, 'signature-input'), untagged ?? false);
  const signature = dictionary(fields, 'signature').get(label)?.[0];
  if (!(signature instanceof ArrayBuffer)) throw new Fault('signature.malformed', { label });
  requireCoverage(input, required);
  const { keyId, created, alg } = requireParameters(input);
  requireFreshness(input, created, now);
  requireDigest(fields, body);
  return { label, keyId, alg, created: new Date(created * 1000), signature: new Uint8Array(signature) };
}

/**
 * Everything about the signature of a request that can be judged without a key, so that no server is asked for its keys
 * on behalf of a request that is refused anyway. OCM core section "Verification Requirements", D-05, D-07
 * Throws `signature.missing` when the request is not signed for OCM, and other `signature.*`.
 */
export const readRequest = (head: RequestHead, body: Uint8Array, reading: Reading): Claim =>
  read(head.fields, body, REQUEST_COMPONENTS, reading);

/** The same for the answer to a request that was signed with the label `requestLabel`. D-06 */
export const readResponse = (head: ResponseHead, body: Uint8Array, requestLabel: string, now: Date): Claim =>
  read(head.fields, body, responseComponents(requestLabel), { now });

/** Throws `signature.alg-mismatch`, `signature.malformed` or `signature.invalid`. */
export async function verifyClaim(head: MessageHead, claim: Claim, key: VerificationKey): Promise<void> {
  const { label, alg } = claim;
  if (alg !== undefined && alg !== algParameter(key.alg)) {
    throw new Fault('signature.alg-mismatch', { keyId: key.kid, alg, keyAlg: key.alg });
  }
  const verify = (base: Uint8Array, signature: Uint8Array) => verifyBytes(key.alg, key.key, base, signature);
  await verifyMessage(head, { label, alg, verify });
}

/** What a signature that was seen before is known by. D-07 */
export function fingerprint(domain: Host, claim: Claim, { alg, kid }: VerificationKey): Uint8Array {
  const unforgeable = unforgeablePart(alg, claim.signature);
  return new Uint8Array(
    createHash('sha256')
      .update(JSON.stringify([domain, kid, alg]))
      .update(unforgeable)
      .digest(),
  );
}

/** Until when the signature of this claim could be shown again, on a server whose clock is not quite right. */
export const replayableUntil = ({ created }: Claim): Date => new Date(created.getTime() + (OLDEST + MOST_AHEAD) * 1000);

import type { KeyObject } from 'node:crypto';
import { component } from 'http-message-sig';
import { contentDigest } from './content-digest.js';
import { OCM_TAG } from './http-signature.js';
import { signMessage, type RequestHead, type ResponseHead } from './message-signature.js';
import { algParameter, signBytes, type SignatureAlgorithm } from './signature-algorithm.js';

/** A private key of this server, with the `kid` under which its public half is published. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  readonly privateKey: KeyObject;
}

/** Of no meaning to those who look for the tag; deployed servers look for this label. D-05 */
export const LABEL = 'ocm';

/** Fields that go with a signed message, in lower case. */
export type SignedFields = Readonly<Record<string, string>>;

const signing = (key: SigningKey, now: Date) => {
  const alg = algParameter(key.alg);
  return {
    label: LABEL,
    parameters: {
      created: Math.floor(now.getTime() / 1000),
      keyid: key.kid,
      ...(alg === undefined ? {} : { alg }),
      tag: OCM_TAG,
    },
    sign: (base: Uint8Array) => signBytes(key.alg, key.privateKey, base),
  };
};

/** RFC 9110 section 8.6 and RFC 9530: what a signature says of a body, the empty one of a GET included. */
const ofBody = (body: Uint8Array) => ({
  'content-digest': contentDigest(body),
  'content-length': String(body.length),
});

const REQUEST_COMPONENTS = ['@method', '@target-uri', 'content-digest', 'content-length', 'date'];

/**
 * The fields that a signed request carries besides its own. `date` is covered because some deployed verifiers ask for
 * it; OCM needs the four others. D-05, OCM-MLS R-035, OCM-MLS R-095
 */
export function signRequest(head: RequestHead, body: Uint8Array, key: SigningKey, now: Date): SignedFields {
  const added = { ...ofBody(body), date: now.toUTCString() };
  const fields = { ...head.fields, ...added };
  return { ...added, ...signMessage({ ...head, fields }, { ...signing(key, now), components: REQUEST_COMPONENTS }) };
}

const RESPONSE_COMPONENTS = ['@status', 'content-digest', 'content-length'];

/**
 * The fields that a signed response carries besides its own. It covers the signature of the request, so that it answers
 * no other. D-06
 */
export function signResponse(
  head: ResponseHead & { readonly request: RequestHead },
  requestLabel: string,
  body: Uint8Array,
  key: SigningKey,
  now: Date,
): SignedFields {
  const added = ofBody(body);
  const components = [
    ...RESPONSE_COMPONENTS,
    component('@method', { req: true }),
    component('@target-uri', { req: true }),
    component('signature', { key: requestLabel, req: true }),
  ];
  const fields = { ...head.fields, ...added };
  return { ...added, ...signMessage({ ...head, fields }, { ...signing(key, now), components }) };
}

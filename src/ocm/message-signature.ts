import {
  createSignatureSync,
  isSignatureError,
  verifySignature,
  SignatureErrorCode,
  type RequestDescriptor,
  type ResponseDescriptor,
  type SignatureComponent,
} from 'http-message-sig';
import { Fault } from '../kernel/fault.js';

/** Fields by their names in lower case; a field that occurs more than once has an array. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request, as RFC 9421 sees it. `targetUri` is the public absolute URI with its query. */
export interface RequestHead {
  readonly method: string;
  readonly targetUri: string;
  readonly fields: Fields;
}

/** A response, with the request that it answers. */
export interface ResponseHead {
  readonly status: number;
  readonly fields: Fields;
  readonly request?: RequestHead;
}

export type MessageHead = RequestHead | ResponseHead;

const occurrences = (fields: Fields) =>
  Object.entries(fields).flatMap(([name, values]) =>
    values === undefined ? [] : [values].flat().map((value) => ({ name, value })),
  );

const request = ({ method, targetUri, fields }: RequestHead): RequestDescriptor => ({
  kind: 'request',
  method,
  targetUri,
  fields: occurrences(fields),
});

const descriptor = (head: MessageHead): RequestDescriptor | ResponseDescriptor =>
  'method' in head
    ? request(head)
    : {
        kind: 'response',
        status: head.status,
        fields: occurrences(head.fields),
        ...(head.request ? { request: request(head.request) } : {}),
      };

export interface Signing {
  readonly label: string;
  readonly components: readonly SignatureComponent[];
  /** In the order in which they are written. */
  readonly parameters: Readonly<Record<string, string | number>>;
  /** Gets the signature base. RFC 9421 section 2.5 */
  readonly sign: (base: Uint8Array) => Uint8Array;
}

/** Makes `Signature-Input` and `Signature`. RFC 9421 section 3.1 */
export function signMessage(
  head: MessageHead,
  { label, components, parameters, sign }: Signing,
): { 'signature-input': string; signature: string } {
  const algorithm = String(parameters['alg'] ?? '');
  const made = createSignatureSync(descriptor(head), { label, components, parameters, signer: { algorithm, sign } });
  return { 'signature-input': made.signatureInput, signature: made.signature };
}

export interface Verifying {
  readonly label: string;
  /** The `alg` parameter of the signature, when it has one. */
  readonly alg: string | undefined;
  readonly verify: (base: Uint8Array, signature: Uint8Array) => boolean;
}

/** The library judges no times: `created` and `expires` are judged where the clock is known. */
const TIMELESS = { now: 0, clockSkew: Number.MAX_SAFE_INTEGER };

/**
 * Rebuilds the base of one signature and asks `verify`. RFC 9421 section 3.2
 * Throws `signature.malformed` when fields or components cannot be read, or can be read in two ways;
 * `signature.invalid` when `verify` says no. Freshness, coverage and keys are the caller's affair.
 */
export async function verifyMessage(head: MessageHead, { label, alg, verify }: Verifying): Promise<void> {
  const algorithm = alg ?? 'of the key';
  try {
    await verifySignature(descriptor(head), {
      label,
      policy: { algorithms: [algorithm], requiredComponents: [], requiredParameters: [], ...TIMELESS },
      resolveVerifier: () => ({ algorithm, verify }),
    });
  } catch (error) {
    const refused = isSignatureError(error) && error.code === SignatureErrorCode.VerificationFailed;
    throw new Fault(refused ? 'signature.invalid' : 'signature.malformed', { label, reason: String(error) }, error);
  }
}

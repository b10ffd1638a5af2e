import type { Host } from '../kernel/address.js';
import type { RequestHead } from './message-signature.js';

/** What the guard proved of a request, for those who handle it. */
export interface SignedRequest {
  readonly peer: Host;
  readonly head: RequestHead;
  readonly label: string;
  /** What the signature says of its own time. */
  readonly created: Date;
  /** The answer has to be signed too. D-06 */
  readonly signAnswer: boolean;
}

const proved = new WeakMap<object, SignedRequest>();

export const markSigned = (request: object, proof: SignedRequest): void => void proved.set(request, proof);

/** Nothing when the request did not pass the guard. */
export const signedRequest = (request: object): SignedRequest | undefined => proved.get(request);

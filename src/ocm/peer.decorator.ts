import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { signedRequest, type SignedRequest } from './signed-request.js';

function proofOf(context: ExecutionContext): SignedRequest {
  const proof = signedRequest(context.switchToHttp().getRequest<object>());
  if (!proof) throw new Error('@Peer() or @SignedAt() stands on a handler without the SignatureGuard');
  return proof;
}

/** The server that signed the request. For handlers behind the `SignatureGuard`. */
export const Peer = createParamDecorator((_: unknown, context: ExecutionContext): Host => proofOf(context).peer);

/** When the request was signed, by the clock of who signed it. For handlers behind the `SignatureGuard`. */
export const SignedAt = createParamDecorator((_: unknown, context: ExecutionContext): Date => proofOf(context).created);

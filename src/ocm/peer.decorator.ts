import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { signedRequest } from './signed-request.js';

/** The server that signed the request. For handlers behind the `SignatureGuard`. */
export const Peer = createParamDecorator((_: unknown, context: ExecutionContext): Host => {
  const proof = signedRequest(context.switchToHttp().getRequest<object>());
  if (!proof) throw new Error('@Peer() stands on a handler without the SignatureGuard');
  return proof.peer;
});

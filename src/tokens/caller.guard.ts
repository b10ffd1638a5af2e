import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Fault } from '../kernel/fault.js';
import { SignatureGuard } from '../ocm/signature.guard.js';
import { signedRequest } from '../ocm/signed-request.js';
import { TransactionService } from '../platform/transaction.service.js';
import { ClientAssertionsService } from './client-assertions.service.js';
import { basicCredentials } from './pairing.js';
import { PairingRepository } from './pairing.repository.js';

const callers = new WeakMap<object, string>();

/**
 * Lets a protocol server pass that is paired, before anything is said of a token (I-040): one that shows its secret or a JWT
 * that it signed, or signs the request. Where nobody is paired for it, nobody is told anything (I-004).
 * Throws `introspection.stranger`, and what the `SignatureGuard` refuses with. OCM-IP, Token Introspection; D-24a
 */
@Injectable()
export class CallerGuard implements CanActivate {
  constructor(
    private readonly signatures: SignatureGuard,
    private readonly assertions: ClientAssertionsService,
    private readonly db: TransactionService,
    private readonly pairings: PairingRepository,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    callers.set(request, await this.callerOf(context, request));
    return true;
  }

  private async callerOf(context: ExecutionContext, request: FastifyRequest): Promise<string> {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const shown = basicCredentials(authorization);
      const known = shown && (await this.db.statement((tx) => this.pairings.knows(tx, shown)));
      if (!shown || !known) throw new Fault('introspection.stranger', { method: 'client_secret_basic' });
      return shown.clientId;
    }
    const asserted = await this.assertions.clientOf(request.body);
    if (asserted !== undefined) return asserted;
    await this.signatures.canActivate(context);
    const { peer } = signedRequest(request)!;
    if (!(await this.db.statement((tx) => this.pairings.signs(tx, peer)))) {
      throw new Fault('introspection.stranger', { peer, method: 'signature' });
    }
    return peer;
  }
}

/** Who asks. For handlers behind the `CallerGuard`. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const caller = callers.get(context.switchToHttp().getRequest<object>());
  if (caller === undefined) throw new Error('@Caller() stands on a handler without the CallerGuard');
  return caller;
});

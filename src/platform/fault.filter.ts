import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { databaseLoss } from './database-error.js';
import { Fault } from '../kernel/fault.js';
import { Log } from './logger.service.js';
import { asFault, ocmError, problemDetails } from './problem.js';
import { SCIM_TYPE, scimError } from './scim-error.js';

/** When the fault does not say itself, in its fact `retryAfter`. */
const RETRY_AFTER_SECONDS = 5;

/** Turns whatever was thrown into an answer: OCM's shape below `/ocm`, SCIM's below `/scim`, problem details elsewhere. */
@Catch()
export class FaultFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const fault = toFault(error);
    this.tell(fault);
    if (reply.sent) return;
    const path = request.url.split('?', 1)[0] ?? '';
    void reply.status(fault.status);
    if (fault.retry && (fault.status === 503 || fault.status === 429))
      void reply.header('retry-after', Number(fault.facts['retryAfter'] ?? RETRY_AFTER_SECONDS));
    // Other servers prove themselves by a signature, for which HTTP has no challenge.
    if (fault.status === 401 && !path.startsWith('/ocm/'))
      void reply.header('www-authenticate', 'Bearer realm="covey"');
    const [type, body] = worded(fault, request.id, path);
    void reply.type(type).send(JSON.stringify(body));
  }

  private tell(fault: Fault): void {
    const level = fault.status === 500 ? 'error' : fault.status > 500 ? 'warn' : 'debug';
    const cause = fault.code === 'internal' ? fault.cause : fault;
    this.log[level]({ event: 'request.refused', code: fault.code, err: cause }, 'a request was refused');
  }
}

function worded(fault: Fault, requestId: string, path: string): [type: string, body: object] {
  if (path.startsWith('/ocm/')) return ['application/json', ocmError(fault, requestId)];
  if (path.startsWith('/scim/')) return [SCIM_TYPE, scimError(fault)];
  return ['application/problem+json', problemDetails(fault, requestId, path)];
}

function toFault(error: unknown): Fault {
  const loss = databaseLoss(error);
  if (loss) return loss;
  const refusal = error instanceof HttpException ? { status: error.getStatus(), message: error.message } : undefined;
  const cause = error instanceof HttpException ? error.cause : undefined;
  return asFault(cause instanceof Fault ? cause : error, refusal);
}

import { createHash } from 'node:crypto';
import type { RawBodyRequest } from '@nestjs/common';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Fault } from '../kernel/fault.js';
import { callerOf } from './api-key.guard.js';
import type { IdempotencyKey as Key } from './idempotency.repository.js';

/**
 * The request's `Idempotency-Key` header with who sent it and a digest of what it asks, for `Idempotency.once`; undefined
 * when there is no such header. Throws `idempotency.malformed`.
 */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): Key | undefined => {
  const request = context.switchToHttp().getRequest<RawBodyRequest<FastifyRequest>>();
  const header = request.headers['idempotency-key'];
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(header)) throw new Fault('idempotency.malformed');
  const fingerprint = createHash('sha256')
    .update(`${request.method} ${request.url}\n`)
    .update(request.rawBody ?? '')
    .digest('hex');
  return { caller: callerOf(request)?.id ?? '', key: header, fingerprint };
});

import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Fault } from '../kernel/fault.js';
import { isLostConnection } from '../platform/database-error.js';
import { Log } from '../platform/logger.service.js';
import { oauthError } from './oauth-error.js';

/** Words whatever was thrown as an OAuth error. RFC 6749 section 5.2 */
@Catch()
export class OAuthErrorFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const answer = oauthError(known(thrown));
    if (answer.error === 'server_error') {
      this.log.error({ event: 'token.failed', err: thrown }, 'the token endpoint broke');
    } else {
      this.log.debug({ event: 'token.answered', error: answer.error, err: thrown }, 'a token request was refused');
    }
    void reply.status(answer.status).header('cache-control', 'no-store').header('pragma', 'no-cache');
    if (answer.status === 503) void reply.header('retry-after', '5');
    const { error, description } = answer;
    void reply.type('application/json').send(JSON.stringify({ error, error_description: description }));
  }
}

/** The framework's own refusals (a body that cannot be read) and a lost database, as faults. */
function known(thrown: unknown): unknown {
  if (isLostConnection(thrown)) return new Fault('database.unavailable', {}, thrown);
  const status = thrown instanceof HttpException ? thrown.getStatus() : (thrown as { statusCode?: number }).statusCode;
  return status !== undefined && status < 500 ? new Fault('token.request-malformed', { fields: [] }, thrown) : thrown;
}

import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Fault, isFault } from '../kernel/fault.js';
import { databaseLoss } from '../platform/database-error.js';
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
    if (answer.status === 503 || answer.status === 429) void reply.header('retry-after', waitOf(thrown));
    if (answer.status === 401) void reply.header('www-authenticate', 'Basic realm="covey"');
    const { error, description } = answer;
    void reply.type('application/json').send(JSON.stringify({ error, error_description: description }));
  }
}

const waitOf = (thrown: unknown): number => (isFault(thrown) ? Number(thrown.facts['retryAfter'] ?? 5) : 5);

/** The framework's own refusals (a body that cannot be read) and a lost database, as faults. */
function known(thrown: unknown): unknown {
  const loss = databaseLoss(thrown);
  if (loss) return loss;
  const status = thrown instanceof HttpException ? thrown.getStatus() : (thrown as { statusCode?: number }).statusCode;
  return status !== undefined && status < 500 ? new Fault('token.request-malformed', { fields: [] }, thrown) : thrown;
}

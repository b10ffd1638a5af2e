import type { FastifyInstance } from 'fastify';
import type { Log } from './logger.service.js';
import type { Metrics } from './metrics.service.js';

/** Asked by machines every few seconds. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** Gives each request an id that is in the answer and in every line of the log about it, and writes one line when it is answered. */
export function logRequests(server: FastifyInstance, log: Log, metrics: Metrics): void {
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    log.within(request.id, done);
  });
  // Once more, since reading the body may have left the context.
  server.addHook('preValidation', (request, _reply, done) => log.within(request.id, done));
  server.addHook('onResponse', (request, reply, done) => {
    // The path alone: a query may hold what must not be logged.
    const path = request.url.split('?', 1)[0] ?? '';
    const route = request.routeOptions.url ?? 'none';
    metrics.requestAnswered(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    const entry = {
      event: 'request.answered',
      request: request.id,
      method: request.method,
      path: path.slice(0, 300),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      from: request.ip,
    };
    log[QUIET.has(path) ? 'debug' : 'info'](entry, 'answered');
    done();
  });
}

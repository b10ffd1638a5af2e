import type { IncomingMessage } from 'node:http';
import helmet from '@fastify/helmet';
import { StandardSchemaValidationPipe } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Dice } from '../kernel/dice.js';
import { takeByteBodies } from './byte-body.provider.js';
import type { Config } from './config.js';
import { FaultFilter } from './fault.filter.js';
import { parseJson } from './json.js';
import { Log } from './logger.service.js';
import { Metrics } from './metrics.service.js';
import { bodyFault } from './problem.js';
import { logRequests } from './request-log.provider.js';

const JSON_TYPES = /^application\/(?:[a-z0-9.!#$&^_-]+\+)?json\s*(?:;|$)/i;
const PAGES =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; img-src 'self' data:";
/** The page of the API sets styles in place. */
const API_PAGE = `${PAGES}; style-src 'self' 'unsafe-inline'`;

/** Fastify with our limits; forwarding headers count from the configured proxies only. */
export function httpAdapter(config: Config, dice: Dice): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: config.bodyLimit,
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    genReqId: (_: IncomingMessage) => dice.uuid(),
    routerOptions: { maxParamLength: 1024 },
    rewriteUrl: ({ url = '' }) => belowBase(config.basePath, url),
    // Whole requests have no limit but `takeByteBodies`, headers do.
    requestTimeout: 0,
    http: { headersTimeout: 60_000 },
    forceCloseConnections: 'idle',
  });
}

/**
 * The request line of a proxy that takes nothing from the path of our public URL, as one would have it that does. Nothing but
 * what other servers ask is found there.
 */
export const belowBase = (base: string, url: string): string =>
  base !== '' && url.startsWith(`${base}/ocm/`) ? url.slice(base.length) : url;

/** What holds for every request: limits, ids, one line of log, one shape of errors, headers for browsers. */
export async function dressHttp(app: NestFastifyApplication, config: Config): Promise<void> {
  const log = app.get(Log);
  const server = app.getHttpAdapter().getInstance();
  logRequests(server, log, app.get(Metrics));
  endConnectionsWhenStopping(server);
  // Fastify's own would be asked first.
  server.removeContentTypeParser(['application/json', 'text/plain']);
  app.useBodyParser(JSON_TYPES, { bodyLimit: config.bodyLimit }, (_request, body, done) => {
    try {
      done(null, parseJson(body));
    } catch (error) {
      done(error as Error);
    }
  });
  takeByteBodies(server);
  app.useGlobalPipes(new StandardSchemaValidationPipe({ exceptionFactory: bodyFault }));
  app.useGlobalFilters(new FaultFilter(log));
  await app.register(helmet, { contentSecurityPolicy: false, strictTransportSecurity: !config.development });
  server.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    void reply.header('content-security-policy', request.url.startsWith('/api/docs') ? API_PAGE : PAGES);
    done();
  });
}

/** Whoever is answered during the stop must not keep the connection, which would hold the stop up. */
function endConnectionsWhenStopping(server: FastifyInstance): void {
  let stopping = false;
  server.addHook('preClose', (done) => {
    stopping = true;
    done();
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (stopping) void reply.header('connection', 'close');
    done();
  });
}

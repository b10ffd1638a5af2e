import type { IncomingMessage } from 'node:http';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Fault } from '../kernel/fault.js';

/** Bodies of this type are files: of any size, given to the route as they come. */
export const BYTES = 'application/octet-stream';

/** Any other body is here after this time, and so is the next part of a file that is waited for. */
const PATIENCE_MS = 60_000;

/** A file of the request's body, part by part. Whoever does not take the next one holds up the sender. */
export type ByteBody = AsyncIterable<Uint8Array>;

/** Marks a route that takes files; any other refuses them with 415. */
export const TakesBytes = (): MethodDecorator => RouteConfig({ takesBytes: true });

/**
 * Gives routes with `TakesBytes` their bodies as they come, and ends requests whose bodies do not: Node counts for whole
 * requests only, and a file may take hours. A file that nobody reads to its end, e.g. one that was refused, ends the
 * connection with the answer.
 */
export function takeByteBodies(server: FastifyInstance): void {
  server.addContentTypeParser(BYTES, (request, payload, done) => {
    if (takesBytes(request)) done(null, parts(payload));
    else done(new Fault('media-type.unsupported'));
  });
  server.addHook('onRequest', (request, _reply, done) => {
    if (!bringsBytes(request)) endWithin(request.raw);
    done();
  });
  server.addHook('onResponse', (request, _reply, done) => {
    if (bringsBytes(request) && !request.raw.complete) request.raw.destroy();
    done();
  });
}

const takesBytes = ({ routeOptions }: FastifyRequest): boolean =>
  (routeOptions.config as { takesBytes?: boolean }).takesBytes === true;

/** What Fastify takes for a file of ours, so that no other body goes without a limit. */
const bringsBytes = (request: FastifyRequest): boolean =>
  takesBytes(request) && /^application\/octet-stream\s*(?:;|$)/i.test(request.headers['content-type'] ?? '');

function endWithin(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), PATIENCE_MS).unref();
  const over = () => clearTimeout(timer);
  request.once('end', over).once('close', over);
}

/** Throws `body.too-slow`. */
export async function* parts(payload: IncomingMessage, patienceMs = PATIENCE_MS): AsyncGenerator<Uint8Array> {
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    timer = setTimeout(() => payload.destroy(new Fault('body.too-slow')), patienceMs).unref();
  };
  try {
    wait();
    for await (const part of payload) {
      clearTimeout(timer);
      yield part as Uint8Array;
      wait();
    }
  } finally {
    clearTimeout(timer);
  }
}

import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { HttpAdapterHost } from '@nestjs/core';
import Fastify, { type FastifyInstance } from 'fastify';
import { verifySignature } from 'http-message-sig';
import { Agent, request } from 'undici';
import type { RequestHead } from '../../src/ocm/message-signature.js';
import { signRequest } from '../../src/ocm/message-signing.js';
import { ServerKeysService } from '../../src/ocm/server-keys.service.js';
import type { World } from '../support/world.js';
import { type Comparison, compare } from './measure.js';

const CONCURRENCY = 8;
const REQUESTS = 400;
const PATH = '/ocm/notifications';
/** The time of the servers in this world is not that of the machine. */
const TIMELESS = { now: 0, clockSkew: Number.MAX_SAFE_INTEGER };

interface Signed {
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/**
 * A Commit that b.test has accepted before comes again and again, each time signed anew: parsed, verified, kept from being
 * replayed, found in the log, answered with 201. Against a Fastify that does nothing but check the same signature.
 */
export async function benchIntake(world: World): Promise<Comparison> {
  const key = world.server('a.test').get(ServerKeysService).http;
  const [exchange] = world.network.sent({ from: 'a.test' as never, to: 'b.test' as never, what: 'MLS_COMMIT' });
  if (!exchange?.request.body) throw new Error('no Commit went to b.test');
  const text = Buffer.from(exchange.request.body).toString();
  let made = 0;
  const signed = (): Signed => {
    // Blanks at the end make another body, and so another signature.
    const body = Buffer.from(text + ' '.repeat(++made));
    const head: RequestHead = { method: 'POST', targetUri: `https://b.test${PATH}`, fields: {} };
    const { 'content-length': _, ...fields } = signRequest(head, body, key, world.clock.now());
    return { headers: { ...fields, host: 'b.test', 'content-type': 'application/json' }, body };
  };

  const ours = world
    .server('b.test')
    .get<HttpAdapterHost>(HttpAdapterHost)
    .httpAdapter.getInstance() as FastifyInstance;
  const bare = bareFastify(createPublicKey(key.privateKey));
  const agent = new Agent({ connections: CONCURRENCY });
  const origins = await Promise.all([ours, bare].map((server) => server.listen({ host: '127.0.0.1', port: 0 })));
  let prepared: Signed[] = [];
  const prepare = (count: number) => {
    prepared = Array.from({ length: count }, signed);
  };
  const post = (origin: string) => async (index: number) => {
    const answer = await request(origin + PATH, { method: 'POST', dispatcher: agent, ...prepared[index]! });
    if (answer.statusCode !== 201) throw new Error(`${answer.statusCode} ${await answer.body.text()}`);
    await answer.body.dump();
  };
  try {
    return await compare({
      what: 'notification intake',
      ours: 'Covey, a Commit again',
      bare: 'Fastify, signature only',
      operations: REQUESTS,
      concurrency: CONCURRENCY,
      prepareOurs: prepare,
      prepareBare: prepare,
      doOurs: post(origins[0]!),
      doBare: post(origins[1]!),
    });
  } finally {
    await agent.close();
    await bare.close();
  }
}

function bareFastify(publicKey: KeyObject): FastifyInstance {
  const server = Fastify();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.post(PATH, async ({ headers, body }, reply) => {
    const bytes = body as Buffer;
    const digest = `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
    if (headers['content-digest'] !== digest) return reply.status(401).send();
    const fields = Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one) => ({ name, value: one })),
    );
    const message = { kind: 'request', method: 'POST', targetUri: `https://b.test${PATH}`, fields } as const;
    await verifySignature(message, {
      label: 'ocm',
      policy: { algorithms: ['ed25519'], requiredComponents: [], requiredParameters: [], ...TIMELESS },
      resolveVerifier: () => ({
        algorithm: 'ed25519',
        verify: (base, signature) => verify(null, base, publicKey, signature),
      }),
    });
    JSON.parse(bytes.toString());
    return reply.status(201).send({});
  });
  return server;
}

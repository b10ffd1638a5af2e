import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { host } from '../../src/kernel/address.js';
import type { HttpAnswer, HttpRequest } from '../../src/kernel/network.js';
import type { TestServer } from '../support/server.js';
import type { World } from '../support/world.js';

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * The OCM endpoint of a file platform that stands in front of a Covey, with the few lines that the handbook asks for. It
 * takes what others send to the host, and notes what it answers itself.
 */
export class Module {
  readonly own: HttpRequest[] = [];

  private constructor(
    readonly document: { readonly endPoint: string },
    readonly port: number,
    readonly key: string,
  ) {}

  static async before(world: World, name: string, document: { readonly endPoint: string }): Promise<Module> {
    const server: TestServer = world.server(name);
    const fastify: FastifyInstance = server.get<HttpAdapterHost>(HttpAdapterHost).httpAdapter.getInstance();
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const { body } = await server.api('POST', '/api-keys', { name: 'module' });
    const { port } = fastify.server.address() as AddressInfo;
    const module = new Module(document, port, (body as { text: string }).text);
    world.network.attach(host(name), (asked) => module.serve(asked));
    return module;
  }

  /** Some other request to `/api/v1/handover` and below. */
  async ask(
    path: string,
    fields: readonly string[],
    body: Uint8Array | string = '',
    key = this.key,
  ): Promise<Answered> {
    const length = String(Buffer.byteLength(body));
    const headers = ['Host', 'covey', 'Content-Length', length, ...fields];
    if (key !== '') headers.push('Authorization', `Bearer ${key}`);
    const asking = request({ port: this.port, method: 'POST', path: `/api/v1/handover${path}`, headers, agent: false });
    asking.end(body);
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    const bytes = Buffer.concat(await answer.toArray());
    const said = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
    return { status: answer.statusCode!, headers: Object.fromEntries(said) as Record<string, string>, body: bytes };
  }

  /** The same with a document of JSON. */
  join(path: '/discovery' | '/jwks', document: unknown): Promise<Answered> {
    return this.ask(path, ['Content-Type', 'application/json'], JSON.stringify(document));
  }

  /** What goes over the wire of a request that is handed over. */
  hand({ method, url, headers, body }: Omit<HttpRequest, 'timeoutMs' | 'maxBytes'>, more: readonly string[] = []) {
    const { host: named, pathname, search } = new URL(url);
    const fields = Object.entries({ host: named, ...headers }).flatMap(([name, value]) => [
      `Covey-Field-${name}`,
      value,
    ]);
    const told = [
      'Content-Type',
      'application/octet-stream',
      'Covey-Method',
      method,
      'Covey-Target',
      pathname + search,
    ];
    return this.ask('', [...told, ...fields, ...more], body ?? '');
  }

  private async serve(asked: HttpRequest): Promise<HttpAnswer> {
    const { origin, pathname } = new URL(asked.url);
    if (pathname === '/.well-known/ocm') return this.join('/discovery', this.document);
    const isOurs = (origin + pathname).startsWith(`${this.document.endPoint}/`);
    const answer = isOurs ? await this.hand(asked) : undefined;
    if (answer?.headers['covey-handover'] === 'answered') return answer;
    if (answer && answer.headers['covey-handover'] === undefined)
      return { status: 503, headers: {}, body: answer.body };
    this.own.push(asked);
    return { status: 201, headers: {}, body: Buffer.from('{}') };
  }
}

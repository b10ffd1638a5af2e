import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { World } from '../support/world.js';
import { PLATFORM_DOCUMENT, StandIn } from './stand-in.js';

export interface Answered {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: Buffer;
}

/** `a.test` alone, and `b.test` in front of a file platform and listening on loopback. */
export class House implements AsyncDisposable {
  private constructor(
    readonly world: World,
    readonly platform: StandIn,
    readonly port: number,
  ) {}

  static async open(environment: Readonly<Record<string, string>> = {}): Promise<House> {
    const platform = new StandIn();
    platform.document = PLATFORM_DOCUMENT;
    await platform.start();
    const world = await World.with({ 'a.test': {}, 'b.test': { COVEY_UPSTREAM: platform.origin, ...environment } });
    const { httpAdapter } = world.server('b.test').get<HttpAdapterHost>(HttpAdapterHost);
    const server: FastifyInstance = httpAdapter.getInstance();
    await server.listen({ host: '127.0.0.1', port: 0 });
    return new House(world, platform, (server.server.address() as AddressInfo).port);
  }

  /** A request to `b.test` over a socket, with these fields and no others. */
  async ask(method: string, path: string, fields: readonly string[] = [], body?: string | Buffer): Promise<Answered> {
    const headers = [
      'Host',
      'b.test',
      ...fields,
      ...(body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body))]),
    ];
    const asking = request({ host: '127.0.0.1', port: this.port, method, path, headers, agent: false, setHost: false });
    asking.end(body);
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    const parts: Buffer[] = [];
    for await (const part of answer) parts.push(part as Buffer);
    return { status: answer.statusCode!, fields: answer.rawHeaders, body: Buffer.concat(parts) };
  }

  /** The same with a body of JSON, and what is answered read. */
  async json(method: string, path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const text = body && JSON.stringify(body);
    const answer = await this.ask(method, path, text ? ['Content-Type', 'application/json'] : [], text);
    return { status: answer.status, body: JSON.parse(answer.body.toString()) as Record<string, unknown> };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await this.platform.stop();
  }
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { host } from '../../src/kernel/address.js';
import type { Network } from '../../src/kernel/network.js';
import type { World } from '../support/world.js';

/** What third parties ask their questions as: a host that knows some names and shares nothing with anybody. */
const THIRD_PARTY = host('files.test');
const LIMITS = { timeoutMs: 5000, maxBytes: 1_000_000 };

const networkOf = (world: World): Network => world.network.networkOf(THIRD_PARTY, () => true);

/** As a library has it that lets its user do the fetching. */
export type Fetch = (url: string, init: object) => Promise<Response>;

/** The network of a world as `fetch`; `asked` has every address that they wanted. */
export function fetchOver(world: World, asked: string[]): Fetch {
  return async (url, init) => {
    const request = new Request(url, init);
    asked.push(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    const answer = await networkOf(world).fetch({
      method: request.method as 'GET' | 'POST',
      url: request.url,
      headers: Object.fromEntries(request.headers),
      ...(body.length > 0 && { body }),
      ...LIMITS,
    });
    return new Response(Buffer.from(answer.body), {
      status: answer.status,
      headers: { ...answer.headers } as Record<string, string>,
    });
  };
}

/**
 * The network of a world for programs that have none but the real one: `http://127.0.0.1:PORT/a.test/ocm/jwks` is
 * `https://a.test/ocm/jwks`.
 */
export class Doorway implements AsyncDisposable {
  private readonly server = createServer((request, response) => {
    this.pass(request, response).catch((error: unknown) => response.writeHead(502).end(String(error)));
  });

  private constructor(private readonly world: World) {}

  static async into(world: World): Promise<Doorway> {
    const doorway = new Doorway(world);
    await once(doorway.server.listen(0, '127.0.0.1'), 'listening');
    return doorway;
  }

  to(hostAndPath: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${hostAndPath}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    const { authorization, 'content-type': type } = request.headers;
    const answer = await networkOf(this.world).fetch({
      method: request.method as 'GET' | 'POST',
      url: `https:/${request.url}`,
      headers: { ...(authorization && { authorization }), ...(type && { 'content-type': type }) },
      ...(body.length > 0 && { body }),
      ...LIMITS,
    });
    response.writeHead(answer.status, { 'content-type': String(answer.headers['content-type']) });
    response.end(Buffer.from(answer.body));
  }
}

import { Fault, isFault } from '../../src/kernel/fault.js';
import { Network, type HttpAnswer, type HttpRequest } from '../../src/kernel/network.js';
import { utf8 } from '../../src/kernel/bytes.js';

type Reply = HttpAnswer | Fault | Promise<HttpAnswer>;

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: utf8(JSON.stringify(body)),
});

/** Answers what it was told to answer, and remembers what it was asked. */
export class StubNetwork extends Network {
  readonly asked: HttpRequest[] = [];
  private readonly places = new Map<string, (request: HttpRequest) => Reply>();

  /** `url` without its query. */
  at(url: string, reply: (request: HttpRequest) => Reply): void {
    this.places.set(url, reply);
  }

  async fetch(request: HttpRequest): Promise<HttpAnswer> {
    this.asked.push(request);
    const reply = this.places.get(request.url.split('?', 1)[0]!)?.(request) ?? new Fault('peer.unreachable');
    if (isFault(reply)) throw reply;
    return reply;
  }

  /** How often a path was asked for. */
  times = (path: string): number => this.asked.filter(({ url }) => new URL(url).pathname === path).length;
}

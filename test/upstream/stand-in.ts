import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** As platforms of today say it, but for places that are not ours. */
export const PLATFORM_DOCUMENT = {
  enabled: true,
  apiVersion: '1.2.0',
  endPoint: 'https://b.test/apps/ocm',
  provider: 'Cloud of B',
  resourceTypes: [{ name: 'file', shareTypes: ['user', 'group'], protocols: { webdav: '/public.php/webdav/' } }],
  capabilities: ['/invite-accepted', 'http-sig'],
  tokenEndPoint: 'https://b.test/apps/token',
  jwksUri: 'https://b.test/.well-known/jwks.json',
  inviteAcceptDialog: 'https://b.test/apps/accept',
};

/** One request as it arrived: the head and the body, to the byte. */
export interface Arrived {
  readonly method: string;
  readonly url: string;
  /** Name, value, name, value. */
  readonly fields: readonly string[];
  readonly body: Buffer;
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** A file platform on loopback that writes down what it gets, and answers as a test wants. */
export class StandIn implements AsyncDisposable {
  readonly arrived: Arrived[] = [];
  /** What it says of itself; a text is sent as it is. */
  document: object | string | undefined;
  keys: object[] = [];
  /** Where it is installed, below which it says that. */
  base = '';
  answer: Answer = (_, response) => response.writeHead(201, { 'content-type': 'application/json' }).end('{}');
  private server: Server | undefined;
  private port = 0;

  /** It takes no port before that, and the same after each start. */
  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => this.take(request, response, Buffer.concat(parts)));
    });
    await once(this.server.listen(this.port, '127.0.0.1'), 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    if (!this.server) return;
    this.server.closeAllConnections();
    await new Promise((done) => this.server!.close(done));
    this.server = undefined;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What arrived last, but for questions about itself. */
  get last(): Arrived {
    return this.arrived.findLast(({ url }) => !url.startsWith(`${this.base}/.well-known`))!;
  }

  private take(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const { method = '', url = '', rawHeaders } = request;
    this.arrived.push({ method, url, fields: rawHeaders, body });
    if (url === `${this.base}/.well-known/ocm`) this.say(response, this.document);
    else if (url === '/.well-known/jwks.json') this.say(response, { keys: this.keys });
    else this.answer(request, response, body);
  }

  private say(response: ServerResponse, what: object | string | undefined): void {
    if (what === undefined) response.writeHead(404).end();
    else response.end(typeof what === 'string' ? what : JSON.stringify(what));
  }

  [Symbol.asyncDispose] = (): Promise<void> => this.stop();
}

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

/** Writes bytes to a server and reads what comes until it closes the connection. */
export async function raw(port: number, ...parts: (string | Buffer)[]): Promise<RawAnswer> {
  const socket: Socket = connect(port, '127.0.0.1');
  const got: Buffer[] = [];
  socket.on('data', (part) => got.push(part));
  const ended = once(socket, 'close');
  for (const part of parts) socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  await ended;
  const all = Buffer.concat(got);
  const at = all.indexOf('\r\n\r\n');
  const head = all.subarray(0, at).toString('latin1');
  return { status: Number(head.split(' ')[1]), head, body: all.subarray(at + 4) };
}

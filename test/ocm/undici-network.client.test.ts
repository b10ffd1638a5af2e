import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../../src/kernel/bytes.js';
import { mayConnect } from '../../src/ocm/public-ip.js';
import { guarded, UndiciNetwork } from '../../src/ocm/undici-network.client.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function serve(listener: RequestListener): Promise<{ port: number; server: Server; sockets: Set<Socket> }> {
  const server = createServer(listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return { port: (server.address() as AddressInfo).port, server, sockets };
}

function network(...parameters: ConstructorParameters<typeof UndiciNetwork>): UndiciNetwork {
  const made = new UndiciNetwork(...parameters);
  open.push(made);
  return made;
}

const limits = { headers: {}, timeoutMs: 2_000, maxBytes: 1_000 };
const get = (url: string) => ({ method: 'GET', url, ...limits }) as const;

describe('only public addresses are connected to', () => {
  const literals = ['127.0.0.1', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '0.0.0.0', '[::1]', '[64:ff9b::7f00:1]'];

  test.each(literals)('http://%s is refused, and nothing is connected', async (literal) => {
    const { port, sockets } = await serve((_, response) => response.end('secret'));
    await expect(network('public-only').fetch(get(`http://${literal}:${port}/`))).rejects.toThrow(
      'peer.address-refused',
    );
    expect(sockets.size).toBe(0);
  });

  test.each(['localhost', 'a.localhost', 'rebound.example.org'])(
    '%s, which means this machine, is refused',
    async (name) => {
      const { port, sockets } = await serve((_, response) => response.end('secret'));
      const made = network('public-only', (_, answer) => answer(null, [{ address: '127.0.0.1', family: 4 }]));
      await expect(made.fetch(get(`http://${name}:${port}/`))).rejects.toThrow('peer.address-refused');
      expect(sockets.size).toBe(0);
    },
  );

  test('of a name with several addresses the refused ones are not tried', async () => {
    const { port, sockets } = await serve((_, response) => response.end('secret'));
    const found = [
      { address: '127.0.0.1', family: 4 },
      { address: '::ffff:127.0.0.1', family: 6 },
    ];
    const made = network('public-only', (_, answer) => answer(null, found));
    await expect(made.fetch(get(`http://mixed.example.org:${port}/`))).rejects.toThrow('peer.address-refused');
    expect(sockets.size).toBe(0);
  });

  test('what is connected in the end is judged too, whatever was said before', () => {
    let destroyed = false;
    const socket = { remoteAddress: '::ffff:127.0.0.1', destroy: () => (destroyed = true) } as unknown as Socket;
    const connect = guarded(
      (_, callback) => callback(null, socket),
      (address) => mayConnect(address, 'public-only'),
    );
    let error: unknown;
    connect({ hostname: 'a.example.org' } as never, (...[found]) => void (error = found));
    expect([String(error), destroyed]).toEqual([expect.stringContaining('peer.address-refused'), true]);
  });

  test('the policy for development reaches this machine by name and by address, and nothing else', async () => {
    const { port } = await serve((_, response) => response.end('here'));
    const made = network('loopback-development', (_, answer) => answer(null, [{ address: '10.0.0.1', family: 4 }]));
    for (const host of ['127.0.0.1', 'localhost', 'a.localhost', '2130706433']) {
      expect(fromUtf8((await made.fetch(get(`http://${host}:${port}/`))).body)).toBe('here');
    }
    await expect(made.fetch(get(`http://10.0.0.1:${port}/`))).rejects.toThrow('peer.address-refused');
    await expect(made.fetch(get(`http://lan.example.org:${port}/`))).rejects.toThrow('peer.address-refused');
  });
});

describe('what the operator listed is connected to, where a URL was configured', () => {
  const resolveTo = (address: string) =>
    ((_: string, answer: (error: null, found: { address: string; family: 4 }[]) => void) =>
      answer(null, [{ address, family: 4 }])) as never;

  test('by its very address, and for nobody else', async () => {
    const { port, sockets } = await serve((_, response) => response.end('efss'));
    const made = network('public-only', resolveTo('127.0.0.1'), ['127.0.0.1/32', 'efss.internal']);
    const url = `http://127.0.0.1:${port}/`;
    await expect(made.fetch(get(url))).rejects.toThrow('peer.address-refused');
    expect(sockets.size).toBe(0);
    expect(fromUtf8((await made.fetch({ ...get(url), configured: true })).body)).toBe('efss');
    expect((await made.fetch({ ...get(`http://efss.internal:${port}/`), configured: true })).status).toBe(200);
    // The connection that is kept is not lent to others.
    await expect(made.fetch(get(url))).rejects.toThrow('peer.address-refused');
  });

  test.each(['127.0.0.1', '169.254.169.254', '10.0.0.1'])(
    'a name that now means %s is refused all the same when that is not listed',
    async (address) => {
      const { port, sockets } = await serve((_, response) => response.end('secret'));
      const made = network('public-only', resolveTo(address), ['other.internal', '127.0.0.0/8', '169.254.0.0/16']);
      const asked = made.fetch({ ...get(`http://efss.internal:${port}/`), configured: true });
      await expect(asked).rejects.toThrow('peer.address-refused');
      expect(sockets.size).toBe(0);
    },
  );
});

describe('an exchange', () => {
  const local = () => network('loopback-development');

  test('takes what is to be sent and gives what was answered', async () => {
    const { port } = await serve((request, response) => {
      void collected(request).then((body) => {
        response.writeHead(201, { 'x-many': ['a', 'b'], 'Content-Type': 'text/plain' });
        response.end(`${request.method} ${request.url} ${String(request.headers['x-one'])} ${body}`);
      });
    });
    const url = `http://127.0.0.1:${port}/a?b=%20c`;
    const answer = await local().fetch({ ...limits, method: 'POST', url, headers: { 'x-one': '1' }, body: utf8('hi') });
    expect(answer).toMatchObject({ status: 201, headers: { 'x-many': 'a, b', 'content-type': 'text/plain' } });
    expect(fromUtf8(answer.body)).toBe('POST /a?b=%20c 1 hi');
  });

  test('a GET says that its body is empty when it is told to, and only then', async () => {
    const { port } = await serve((request, response) => response.end(String(request.headers['content-length'])));
    const url = `http://127.0.0.1:${port}/`;
    const told = await local().fetch({ ...get(url), headers: { 'content-length': '0' } });
    expect([told, await local().fetch(get(url))].map(({ body }) => fromUtf8(body))).toEqual(['0', 'undefined']);
  });

  test('connections are kept', async () => {
    const { port, sockets } = await serve((_, response) => response.end('x'));
    const made = local();
    for (let time = 0; time < 20; time++) await made.fetch(get(`http://127.0.0.1:${port}/${time}`));
    expect(sockets.size).toBeLessThanOrEqual(2);
  });

  test('redirects are not followed', async () => {
    const asked: (string | undefined)[] = [];
    const { port } = await serve((request, response) => {
      asked.push(request.url);
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect((await local().fetch(get(`http://127.0.0.1:${port}/`))).status).toBe(302);
    expect(asked).toEqual(['/']);
  });

  test('an answer of the greatest length is taken', async () => {
    const { port } = await serve((_, response) => response.end('x'.repeat(1_000)));
    expect((await local().fetch(get(`http://127.0.0.1:${port}/`))).body).toHaveLength(1_000);
  });

  test('an answer that is too long is refused as soon as that is known', async () => {
    const announced = await serve((_, response) => response.writeHead(200, { 'content-length': '1001' }).write('x'));
    const streamed = await serve((_, response) => {
      const more = (): void =>
        void (response.write('x'.repeat(900)) ? setImmediate(more) : response.once('drain', more));
      more();
    });
    for (const { port } of [announced, streamed]) {
      await expect(local().fetch(get(`http://127.0.0.1:${port}/`))).rejects.toThrow('peer.answer-too-large');
    }
  });

  test('after an answer that was too long the next one is read as usual', async () => {
    const { port } = await serve((request, response) =>
      response.end(request.url === '/long' ? 'x'.repeat(5_000) : 'ok'),
    );
    const made = local();
    await expect(made.fetch(get(`http://127.0.0.1:${port}/long`))).rejects.toThrow('peer.answer-too-large');
    expect(fromUtf8((await made.fetch(get(`http://127.0.0.1:${port}/`))).body)).toBe('ok');
  });

  test('where the head alone counts the body is no matter, be it endless or cut off, and the next answer is as usual', async () => {
    const endless = await serve((_, response) => {
      const more = (): void =>
        void (response.write('x'.repeat(900)) ? setImmediate(more) : response.once('drain', more));
      more();
    });
    const halting = await serve((_, response) => response.writeHead(410).write('x'));
    const broken = await serve((_, response) => void response.writeHead(201).write('x', () => response.destroy()));
    const short = await serve((_, response) => response.end('ok'));
    const made = local();
    const statusOf = async ({ port }: { port: number }) => {
      const answer = await made.fetch({ ...get(`http://127.0.0.1:${port}/`), headOnly: true, timeoutMs: 200 });
      expect(answer.body).toHaveLength(0);
      return answer.status;
    };
    for (const [server, status] of [
      [endless, 200],
      [halting, 410],
      [broken, 201],
      [short, 200],
      [short, 200],
    ] as const) {
      expect(await statusOf(server)).toBe(status);
    }
  });

  test('a server that says nothing, or stops in the middle, takes no longer than allowed', async () => {
    const silent = await serve(() => undefined);
    const halting = await serve((_, response) => response.writeHead(200).write('x'));
    for (const { port } of [silent, halting]) {
      const request = { ...get(`http://127.0.0.1:${port}/`), timeoutMs: 100 };
      await expect(local().fetch(request)).rejects.toThrow('peer.timeout');
    }
  });

  test('nobody listens, the connection breaks, or the name is not known', async () => {
    const { port, server } = await serve((request) => request.socket.destroy());
    await expect(local().fetch(get(`http://127.0.0.1:${port}/`))).rejects.toThrow('peer.unreachable');
    await new Promise((resolve) => server.close(resolve));
    await expect(local().fetch(get(`http://127.0.0.1:${port}/`))).rejects.toThrow('peer.unreachable');
    const unknown = network('public-only', (_, answer) =>
      answer(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []),
    );
    await expect(unknown.fetch(get('http://nowhere.example.org/'))).rejects.toThrow('peer.unreachable');
  });
});

async function collected(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

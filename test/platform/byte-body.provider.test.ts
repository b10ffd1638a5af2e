import { once } from 'node:events';
import { connect } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import fastify from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parts, takeByteBodies } from '../../src/platform/byte-body.provider.js';

const SECOND = 1_000;
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const payload = () => new PassThrough() as unknown as IncomingMessage & PassThrough;

test('a file may take as long as it wants, as long as it comes', async () => {
  const body = payload();
  const reading = parts(body);
  for (const part of ['one', 'two', 'three']) {
    const next = reading.next();
    vi.advanceTimersByTime(59 * SECOND);
    body.write(part);
    expect(Buffer.from((await next).value as Uint8Array).toString()).toBe(part);
    // Whoever reads takes its time, too.
    vi.advanceTimersByTime(500 * SECOND);
  }
  const end = reading.next();
  body.end();
  expect(await end).toEqual({ done: true, value: undefined });
});

test('a file that stops coming is given up', async () => {
  const body = payload();
  const reading = parts(body);
  body.write('one');
  await reading.next();
  const next = reading.next();
  vi.advanceTimersByTime(60 * SECOND);
  await expect(next).rejects.toThrow('body.too-slow');
  expect(body.destroyed).toBe(true);
});

test('any other body is here in time, or its connection ends', async () => {
  const server = fastify();
  takeByteBodies(server, () => false);
  server.post('/', () => 'taken');
  await server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.server.address() as { port: number };
  const begun = once(server.server, 'request');
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"a');
  const closed = once(socket, 'close');
  socket.resume();
  await begun;
  vi.advanceTimersByTime(60 * SECOND);
  await closed;
  await server.close();
});

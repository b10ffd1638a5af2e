import { once } from 'node:events';
import { connect } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import fastify from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configFrom } from '../../src/platform/config.js';
import { httpAdapter } from '../../src/platform/http.provider.js';
import { TestDice } from '../support/dice.js';
import { BYTES, parts, takeByteBodies } from '../../src/platform/byte-body.provider.js';

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

/** A server with a route that takes files and one that does not; nobody reads what they are sent. */
async function listening() {
  const server = fastify();
  takeByteBodies(server);
  server.post('/documents', () => 'taken');
  server.post('/files', { config: { takesBytes: true } }, () => 'refused');
  await server.listen({ host: '127.0.0.1', port: 0 });
  return { server, port: (server.server.address() as { port: number }).port };
}

/** The beginning of a request, the body of which does not come to its end. */
const begin = (path: string, type: string) =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: 1000\r\n\r\n{"a`;

test.each([
  ['/documents', 'application/json'],
  ['/files', 'application/json'],
])('any other body is here in time, or its connection ends: %s %s', async (path, type) => {
  const { server, port } = await listening();
  const begun = once(server.server, 'request');
  const socket = connect(port, '127.0.0.1');
  socket.write(begin(path, type));
  const closed = once(socket, 'close');
  socket.resume();
  await begun;
  vi.advanceTimersByTime(60 * SECOND);
  await closed;
  await server.close();
});

test('a file that nobody reads to its end ends the connection with the answer', async () => {
  const { server, port } = await listening();
  const socket = connect(port, '127.0.0.1');
  socket.write(begin('/files', BYTES));
  const answered = (await once(socket, 'data')) as [Buffer];
  expect(answered[0].toString()).toContain('refused');
  await once(socket, 'close');
  await server.close();
});

test('a route that takes documents refuses a file, and one that is none is not there', async () => {
  const { server } = await listening();
  const answer = await server.inject({
    method: 'POST',
    url: '/documents',
    headers: { 'content-type': BYTES },
    payload: 'x',
  });
  expect(answer.json()).toMatchObject({ statusCode: 415 });
  expect((await server.inject({ method: 'POST', url: '/nowhere', payload: { a: 1 } })).statusCode).toBe(404);
  await server.close();
});

test('headers are waited for as long as bodies, and whole requests for ever', () => {
  const config = configFrom({ COVEY_DOMAIN: 'a.test' });
  const { server } = httpAdapter(config, new TestDice('http')).getInstance();
  expect([server.headersTimeout, server.requestTimeout]).toEqual([60_000, 0]);
});

import { Body, Controller, Get, Post } from '@nestjs/common';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Fault } from '../../src/kernel/fault.js';
import { leaseDatabase } from '../support/database.js';
import { platformApp } from './app.js';

const schema = z.object({ protocol: z.object({ name: z.string() }) });

const socket = () => Object.assign(new Error('connect'), { code: 'ECONNREFUSED', syscall: 'connect' });

@Controller()
class Trouble {
  @Get(['api/v1/broken', 'ocm/broken'])
  broken(): never {
    throw new Error('the password is hunter2');
  }

  @Get('api/v1/unavailable')
  unavailable(): never {
    throw new Fault('database.unavailable');
  }

  @Get(['api/v1/peer', 'ocm/peer'])
  peer(): never {
    throw new Fault('peer.unreachable', {}, socket());
  }

  @Get('api/v1/socket')
  socket(): never {
    throw socket();
  }

  @Get(['api/v1/refused', 'ocm/refused'])
  refused(): never {
    throw new Fault('request.misdirected', { host: 'x.test' });
  }

  @Post('api/v1/parsed')
  parsed(@Body({ schema }) body: z.output<typeof schema>): object {
    return body;
  }

  @Post('ocm/parsed')
  thrown(@Body() body: unknown): object {
    return schema.parse(body);
  }
}

async function troubled(lines: string[] = []) {
  const lease = await leaseDatabase();
  const covey = await platformApp(lease, { controllers: [Trouble], lines, env: { COVEY_BODY_LIMIT: '65536' } });
  const dispose = async () => {
    await covey.app.close();
    await lease.release();
  };
  return { ...covey, [Symbol.asyncDispose]: dispose };
}

test('an error nobody foresaw is an id in the answer, and the whole error under that id in the log', async () => {
  const lines: string[] = [];
  await using covey = await troubled(lines);
  for (const path of ['/api/v1/broken', '/ocm/broken']) {
    const answer = await covey.ask('GET', path);
    expect([answer.status, answer.json['code']]).toEqual([500, 'internal']);
    expect(answer.text).not.toContain('hunter2');
    expect(answer.headers['x-request-id']).toBe(answer.json['request']);
    const found = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find(({ request, level }) => request === answer.json['request'] && level === 'error');
    expect(found).toMatchObject({ event: 'request.refused', err: { message: 'the password is hunter2' } });
  }
});

test('our own interface answers with problem details, other servers get the shape of OCM', async () => {
  await using covey = await troubled();
  const ours = await covey.ask('GET', '/api/v1/refused');
  expect([ours.status, ours.type, ours.json['code'], ours.json['host']]).toEqual([
    421,
    'application/problem+json',
    'request.misdirected',
    'x.test',
  ]);
  const ocm = await covey.ask('GET', '/ocm/refused');
  expect([ocm.status, ocm.type, ocm.json['message']]).toEqual([421, 'application/json', 'REQUEST_MISDIRECTED']);
});

test('what may succeed later says when', async () => {
  await using covey = await troubled();
  const answer = await covey.ask('GET', '/api/v1/unavailable');
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
});

test('a connection to somebody else that broke is not the database', async () => {
  await using covey = await troubled();
  for (const path of ['/api/v1/peer', '/ocm/peer']) {
    const answer = await covey.ask('GET', path);
    expect([answer.status, answer.json['code']]).toEqual([502, 'peer.unreachable']);
  }
  expect((await covey.ask('GET', '/api/v1/socket')).json['code']).toBe('internal');
});

test('a body of the wrong shape is told field by field', async () => {
  await using covey = await troubled();
  const message = 'Invalid input: expected string, received number';
  const ours = await covey.ask('POST', '/api/v1/parsed', { body: { protocol: { name: 1 } } });
  expect([ours.status, ours.json['errors']]).toEqual([400, [{ path: 'protocol.name', message }]]);
  const ocm = await covey.ask('POST', '/ocm/parsed', { body: { protocol: { name: 1 } } });
  expect([ocm.status, ocm.json['validationErrors']]).toEqual([400, [{ name: 'protocol.name', message }]]);
});

test.each([
  ['cut-off JSON', '{"protocol":', 'application/json', 400, 'body.malformed'],
  ['no JSON at all', 'hello', 'application/json', 400, 'body.malformed'],
  ['deep nesting', '['.repeat(60_000), 'application/json', 400, 'body.too-deep'],
  ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'application/json', 400, 'body.malformed'],
  ['an empty body', '', 'application/json', 400, 'body.malformed'],
  ['too many bytes', 'x'.repeat(65_537), 'application/json', 413, 'body.too-large'],
  ['XML', '<a/>', 'application/xml', 415, 'media-type.unsupported'],
  ['plain text', 'a', 'text/plain', 415, 'media-type.unsupported'],
])('%s is refused', async (_, body, type, status, code) => {
  await using covey = await troubled();
  for (const path of ['/api/v1/parsed', '/ocm/parsed']) {
    const answer = await covey.ask('POST', path, { body, headers: { 'content-type': type } });
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
  }
});

test.each(['application/json; charset=utf-8', 'application/ocm+json', 'APPLICATION/JSON'])(
  '%s is JSON',
  async (type) => {
    await using covey = await troubled();
    const answer = await covey.ask('POST', '/ocm/parsed', {
      body: { protocol: { name: 'x' } },
      headers: { 'content-type': type },
    });
    expect([answer.status, answer.json]).toEqual([201, { protocol: { name: 'x' } }]);
  },
);

test('a path that is not there is not found, and the log does not repeat its query', async () => {
  const lines: string[] = [];
  await using covey = await troubled(lines);
  expect((await covey.ask('GET', '/nowhere?code=hunter2')).json['code']).toBe('not-found');
  expect((await covey.ask('GET', '/ocm/nowhere?code=hunter2')).json['message']).toBe('NOT_FOUND');
  expect(lines.join('')).toContain('"path":"/ocm/nowhere"');
  expect(lines.join('')).not.toContain('hunter2');
});

test('one line of log tells of each request, without what must not be known', async () => {
  const lines: string[] = [];
  await using covey = await troubled(lines);
  await covey.ask('POST', '/ocm/parsed', {
    body: { protocol: { sharedSecret: 'hunter2', code: 'hunter2', access_token: 'hunter2' } },
    headers: { authorization: 'Bearer hunter2', 'idempotency-key': 'hunter2' },
  });
  const answered = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === 'request.answered');
  expect(answered).toEqual([
    expect.objectContaining({ method: 'POST', path: '/ocm/parsed', status: 400, from: '127.0.0.1' }),
  ]);
  expect(lines.join('')).not.toContain('hunter2');
});

import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { Fault } from '../../src/kernel/fault.js';
import { type HttpAnswer, type HttpRequest, Network } from '../../src/kernel/network.js';
import { OCM_ROWS } from '../../src/ocm/ocm.module.js';
import { TRUST_ROWS } from '../../src/trust/trust.module.js';
import { OUTBOX_ROWS, OutboxModule } from '../../src/outbox/outbox.module.js';
import { Outbox } from '../../src/outbox/outbox.service.js';
import { serveApiDocs } from '../../src/platform/api-docs.provider.js';
import { configFrom } from '../../src/platform/config.js';
import { dressHttp, httpAdapter } from '../../src/platform/http.provider.js';
import { Log } from '../../src/platform/logger.service.js';
import { PlatformModule } from '../../src/platform/platform.module.js';
import { Poller } from '../../src/platform/poller.service.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { TestClock } from '../support/clock.js';
import { type Lease, leaseDatabase } from '../support/database.js';
import { TestDice } from '../support/dice.js';

const API_KEY = 'test_key_0123456789_0123456789_abcdef';

/** b.test takes some things and refuses others, c.test is not there. */
class Peers extends Network {
  refuses = '';
  isThere = false;
  readonly posted: string[] = [];

  async fetch({ method, url, body }: HttpRequest): Promise<HttpAnswer> {
    const { host: peer } = new URL(url);
    if (peer === 'c.test' && !this.isThere) throw new Fault('peer.unreachable');
    const json = (status: number, value: object) => ({ status, headers: {}, body: utf8(JSON.stringify(value)) });
    if (method === 'GET') {
      const resourceTypes = [{ name: 'file', shareTypes: ['federation'], protocols: {} }];
      return json(200, { enabled: true, apiVersion: '1.5.0', endPoint: `https://${peer}/ocm`, resourceTypes });
    }
    const text = Buffer.from(body!).toString();
    this.posted.push(text);
    return text === this.refuses ? json(403, { message: 'X', code: 'commit.not-admin' }) : json(201, {});
  }
}

let lease: Lease;
let app: NestFastifyApplication;
let peers: Peers;
let clock: TestClock;

beforeEach(async () => {
  lease = await leaseDatabase();
  clock = new TestClock();
  peers = new Peers();
  const dice = new TestDice('deliveries');
  const config = configFrom({
    COVEY_DOMAIN: 'a.test',
    DATABASE_URL: lease.url,
    COVEY_SEALING_KEY: Buffer.alloc(32, 1).toString('base64url'),
    COVEY_API_KEY: API_KEY,
    COVEY_LOG_LEVEL: 'silent',
    COVEY_DELIVERY_TRIES: '2',
  });
  Object.assign(config, { databasePool: lease.poolSize });
  const platform = PlatformModule.with({ config, clock, dice, network: peers, log: new Log('silent') }, [
    ...TRUST_ROWS,
    ...OCM_ROWS,
    ...OUTBOX_ROWS,
  ]);

  @Module({ imports: [platform, OutboxModule] })
  class Root {}

  app = await NestFactory.create<NestFastifyApplication>(Root, httpAdapter(config, dice), { logger: false });
  await dressHttp(app, config);
  serveApiDocs(app, config);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
afterEach(async () => {
  await app.close();
  await lease.release();
});

async function ask(method: 'GET' | 'POST', url: string, key = API_KEY) {
  const response = await app.inject({ method, url, headers: key === '' ? {} : { authorization: `Bearer ${key}` } });
  return { status: response.statusCode, json: (response.body ? response.json() : undefined) as Record<string, never> };
}

const post = (to: string, lane: string, n: number) =>
  app
    .get(TransactionService)
    .run((tx) =>
      app.get(Outbox).post(tx, { to: host(to), lane, endpoint: 'notifications', kind: 'K', subject: 's', body: { n } }),
    );

async function work(): Promise<void> {
  const turns = app.get(Poller).turns.filter(({ name }) => /^outbox\.(courier|heard)$/.test(name));
  while ((await Promise.all(turns.map((worker) => worker.turn()))).includes(true));
}

describe('deliveries', () => {
  test('are listed by server, with what is wrong and since when', async () => {
    await post('b.test', 'g1', 1);
    await post('c.test', 'g1', 1);
    await post('c.test', 'g2', 1);
    await work();
    const { status, json } = await ask('GET', '/api/v1/deliveries');
    expect(status).toBe(200);
    expect(json).toEqual({
      peers: [
        { peer: 'b.test', state: 'healthy', since: '2027-01-04T09:00:00.000Z', waiting: 0, dead: 0, refused: 0 },
        {
          peer: 'c.test',
          state: 'failing',
          since: '2027-01-04T09:00:00.000Z',
          failures: 1,
          nextTryAt: expect.stringMatching(/^2027-01-04T09:00:0[12]\.\d+Z$/),
          reason: 'peer.unreachable',
          waiting: 2,
          dead: 0,
          refused: 0,
          oldestPostedAt: '2027-01-04T09:00:00.000Z',
        },
      ],
    });
  });

  test('to one server are shown lane by lane, with its refusals in its own words', async () => {
    peers.refuses = '{"n":1}';
    const id = await post('b.test', 'g/1', 1);
    await post('b.test', 'g/1', 2);
    await work();
    const letter = {
      id,
      peer: 'b.test',
      lane: 'g/1',
      kind: 'K',
      subject: 's',
      state: 'refused',
      tries: 1,
      postedAt: '2027-01-04T09:00:00.000Z',
      triedAt: '2027-01-04T09:00:00.000Z',
      status: 403,
      reason: 'http 403 commit.not-admin',
      answer: { message: 'X', code: 'commit.not-admin' },
    };
    const { json } = await ask('GET', '/api/v1/deliveries/peers/b.test');
    expect(json).toMatchObject({ peer: 'b.test', state: 'healthy', refused: 1, lanes: [], letters: [letter] });
    expect((await ask('GET', `/api/v1/deliveries/letters/${id}`)).json).toEqual(letter);
    const again = await ask('POST', `/api/v1/deliveries/letters/${id}/try-again`);
    expect([again.status, again.json['code']]).toEqual([409, 'letter.settled']);
  });

  describe('that are dead', () => {
    let id: string;
    beforeEach(async () => {
      id = await post('c.test', 'g/1', 1);
      await post('c.test', 'g/1', 2);
      for (let tries = 0; tries < 2; tries++) {
        await work();
        clock.advanceSeconds(10);
      }
      const { json } = await ask('GET', '/api/v1/deliveries/peers/c.test');
      expect(json).toMatchObject({
        dead: 1,
        waiting: 1,
        lanes: [{ lane: 'g/1', state: 'stopped', depth: 2, oldest: { id, state: 'dead', tries: 2 } }],
        letters: [{ id, state: 'dead', reason: 'peer.unreachable' }],
      });
      peers.isThere = true;
      clock.advanceSeconds(60);
    });

    test.each([
      ['the letter', () => `letters/${id}`, 204, undefined],
      ['the lane', () => `peers/c.test/lanes/${encodeURIComponent('g/1')}`, 200, { lanes: 1 }],
      ['the server', () => 'peers/C.test', 200, { lanes: 1 }],
    ])('go out again with %s', async (_, path, status, said) => {
      const again = await ask('POST', `/api/v1/deliveries/${path()}/try-again`);
      expect([again.status, again.json]).toEqual([status, said]);
      await work();
      expect(peers.posted).toEqual(['{"n":1}', '{"n":2}']);
    });
  });

  test.each([
    ['GET', '/api/v1/deliveries/peers/nobody.test', 404],
    ['GET', '/api/v1/deliveries/peers/no%20body', 400],
    ['GET', '/api/v1/deliveries/letters/0b7e1f4e-6a0c-4c5e-9d0a-3f6f2f6f1c11', 404],
    ['GET', '/api/v1/deliveries/letters/seven', 400],
    ['POST', '/api/v1/deliveries/letters/0b7e1f4e-6a0c-4c5e-9d0a-3f6f2f6f1c11/try-again', 404],
    ['POST', '/api/v1/deliveries/peers/nobody.test/try-again', 404],
    ['POST', '/api/v1/deliveries/peers/nobody.test/lanes/g/try-again', 404],
  ] as const)('%s %s is answered with %i', async (method, url, status) => {
    expect((await ask(method, url)).status).toBe(status);
    expect((await ask(method, url, '')).status).toBe(401);
  });

  test('are described with examples', async () => {
    const { json } = await ask('GET', '/api/docs.json', '');
    const paths = Object.entries(json['paths']!).filter(([path]) => path.startsWith('/api/v1/deliveries'));
    expect(paths).toHaveLength(6);
    const text = JSON.stringify([paths, json['components']]);
    expect(text).toContain('"peer.timeout"');
  });
});

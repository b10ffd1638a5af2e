import { createServer, type AddressInfo } from 'node:net';
import { Body, Controller, Get, Post, Query, UseGuards } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { host, type Host } from '../../src/kernel/address.js';
import { fromUtf8, utf8 } from '../../src/kernel/bytes.js';
import { federates } from '../../src/ocm/discovery.js';
import { parseNotification } from '../../src/ocm/notification.js';
import { PeerClient } from '../../src/ocm/peer.client.js';
import { Peer } from '../../src/ocm/peer.decorator.js';
import { SignatureGuard, SignedAnswer, SignedBy } from '../../src/ocm/signature.guard.js';
import { UndiciNetwork } from '../../src/ocm/undici-network.client.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase, type Lease } from '../support/database.js';
import { boot, NOW } from './boot.js';
import { golden } from './golden.js';

@Controller('ocm')
@UseGuards(SignatureGuard)
class Endpoints {
  @Post('notifications')
  @SignedBy('senderDomain')
  notification(@Peer() from: Host, @Body() body: unknown): object {
    return { from, type: parseNotification(body).notificationType };
  }

  @Post('token')
  @SignedBy('client_id')
  token(@Peer() from: Host, @Body('code') code: string): object {
    return { from, code };
  }

  @Get('mls-key-packages')
  @SignedBy('keyid')
  @SignedAnswer()
  packages(@Peer() from: Host, @Query('userId') userId: string): object {
    return { from, userId };
  }
}

/** One of ours, listening on this machine. */
interface Server {
  readonly lease: Lease;
  readonly network: UndiciNetwork;
  readonly app: NestFastifyApplication;
  readonly host: Host;
}

const clock = new TestClock(NOW);
let a: Server;
let b: Server;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(name: string): Promise<Server> {
  const port = await freePort();
  const domain = `${name}.localhost:${port}`;
  const lease = await leaseDatabase();
  const network = new UndiciNetwork('loopback-development');
  const environment = { COVEY_DEVELOPMENT: 'on', COVEY_DOMAIN: domain };
  const app = await boot({ lease, network, clock, environment, controllers: [Endpoints], seed: name });
  await app.listen(port, '127.0.0.1');
  return { lease, network, app, host: host(domain) };
}

beforeAll(async () => {
  a = await start('a');
  b = await start('b');
});
afterAll(async () => {
  for (const { app, network, lease } of [a, b]) {
    await network.close();
    await app.close();
    await lease.release();
  }
});

const client = () => a.app.get(PeerClient);

test('they find each other', async () => {
  const discovery = await client().discovery(b.host);
  expect(federates(discovery)).toBe(true);
  expect(discovery.endPoint).toBe(`http://${b.host}/ocm`);
});

test('R-017 what one posts to the other arrives with its name', async () => {
  const body = utf8(JSON.stringify({ ...(golden('mls-commit') as object), senderDomain: a.host }));
  const answer = await client().post(b.host, '/notifications', body);
  expect(JSON.parse(fromUtf8(answer.body))).toEqual({ from: a.host, type: 'MLS_COMMIT' });
});

test('a form arrives with its name', async () => {
  const { tokenEndPoint } = await client().discovery(b.host);
  const answer = await client().postForm(b.host, tokenEndPoint!, { client_id: a.host, code: 'a+b' });
  expect(JSON.parse(fromUtf8(answer.body))).toEqual({ from: a.host, code: 'a+b' });
});

test('R-035 what one gets of the other is signed both ways, over a real connection', async () => {
  const answer = await client().getSigned(b.host, '/mls-key-packages?userId=bob%40b.test');
  expect(JSON.parse(fromUtf8(answer.body))).toEqual({ from: a.host, userId: 'bob@b.test' });
});

test('who speaks in the name of another is refused', async () => {
  const body = utf8(JSON.stringify({ ...(golden('mls-commit') as object), senderDomain: b.host }));
  const answer = await client().post(b.host, '/notifications', body);
  expect([answer.status, JSON.parse(fromUtf8(answer.body))]).toEqual([
    401,
    expect.objectContaining({ code: 'signature.wrong-domain', message: 'SIGNATURE_WRONG_DOMAIN' }),
  ]);
});

import { Controller, Get, HttpCode, Query, UseGuards } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Fault } from '../../src/kernel/fault.js';
import { readResponse, verifyClaim } from '../../src/ocm/http-signature.js';
import { parseJwkSet, verificationKey } from '../../src/ocm/jwk-set.js';
import { ServerKeysService } from '../../src/ocm/server-keys.service.js';
import { SignatureGuard, SignedAnswer, SignedBy } from '../../src/ocm/signature.guard.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase, type Lease } from '../support/database.js';
import { boot, NOW, OUR_HOST } from './boot.js';
import { FakePeer } from './fake-peer.js';
import { StubNetwork } from './stub-network.js';

@Controller('ocm/probe')
@UseGuards(SignatureGuard)
class ProbeController {
  @Get('signed')
  @SignedBy('keyid')
  @SignedAnswer()
  signed(@Query('fail') fail?: string): object {
    if (fail) throw new Fault('not-found');
    return { says: 'Ünïcödé ✓', list: [1, 2] };
  }

  @Get('empty')
  @SignedBy('keyid')
  @SignedAnswer()
  @HttpCode(204)
  empty(): void {}

  @Get('plain')
  @SignedBy('keyid')
  plain(): object {
    return {};
  }
}

const clock = new TestClock(NOW);
const network = new StubNetwork();
const peer = new FakePeer('a.test', network);
let lease: Lease;
let app: NestFastifyApplication;
beforeAll(async () => {
  lease = await leaseDatabase();
  app = await boot({ lease, network, clock, controllers: [ProbeController] });
});
afterAll(async () => {
  await app.close();
  await lease.release();
});
beforeEach(() => clock.advanceSeconds(1));

async function get(path: string) {
  const url = `https://${OUR_HOST}/ocm/probe/${path}`;
  const fields = peer.sign('GET', url, new Uint8Array(), clock.now());
  const answer = await app.inject({ url: `/ocm/probe/${path}`, headers: fields });
  const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
  const head = { status: answer.statusCode, fields: headers, request: { method: 'GET', targetUri: url, fields } };
  return { head, body: new Uint8Array(answer.rawPayload), headers };
}

async function verify({ head, body }: Awaited<ReturnType<typeof get>>): Promise<void> {
  const claim = readResponse(head, body, 'ocm', clock.now());
  const set = parseJwkSet(app.get(ServerKeysService).published);
  await verifyClaim(head, claim, verificationKey(set, claim.keyId));
}

test('the answer verifies over the bytes that went out, and for this request', async () => {
  const answer = await get('signed');
  expect(answer.head.status).toBe(200);
  await verify(answer);
  await expect(verify({ ...answer, head: { ...answer.head, status: 404 } })).rejects.toThrow('signature.invalid');
});

test('a refusal behind the guard is signed too', async () => {
  const answer = await get('signed?fail=1');
  expect(answer.head.status).toBe(404);
  await verify(answer);
});

test('an answer without a body is signed', async () => {
  const answer = await get('empty');
  expect(answer.headers['content-digest']).toBe('sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:');
});

test('what nobody asked to sign is not signed, nor what did not pass the guard', async () => {
  expect((await get('plain')).headers).not.toHaveProperty('signature');
  const refused = await app.inject({ url: '/ocm/probe/signed', headers: { host: OUR_HOST } });
  expect(refused.statusCode).toBe(401);
  expect(refused.headers).not.toHaveProperty('signature');
});

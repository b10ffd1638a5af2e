import { Body, Controller, Get, Post, Query, UseGuards } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { Fault } from '../../src/kernel/fault.js';
import { Peer } from '../../src/ocm/peer.decorator.js';
import { SignatureGuard, SignedBy } from '../../src/ocm/signature.guard.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase, type Lease } from '../support/database.js';
import { boot, NOW, OUR_HOST } from './boot.js';
import { FakePeer } from './fake-peer.js';
import { golden } from './golden.js';
import { pair } from './signing.js';
import { StubNetwork } from './stub-network.js';

@Controller('ocm/probe')
@UseGuards(SignatureGuard)
class ProbeController {
  @Post('notifications')
  @SignedBy('senderDomain')
  notification(@Peer() from: string, @Body() body: unknown): object {
    return { from, body };
  }

  @Post('shares')
  @SignedBy('sender')
  share(@Peer() from: string): object {
    return { from };
  }

  @Post('token')
  @SignedBy('client_id')
  token(@Peer() from: string, @Body() form: unknown): object {
    return { from, form };
  }

  @Get('packages')
  @SignedBy('keyid')
  packages(@Peer() from: string, @Query('userId') userId: string): object {
    return { from, userId };
  }
}

type Answer = { status: number; body: Record<string, unknown> };
type Changes = { [field: string]: string | undefined };

const clock = new TestClock(NOW);
const controllers = [ProbeController];
let network: StubNetwork;
let lease: Lease;
let app: NestFastifyApplication;
let peer: FakePeer;
let counter = 0;

beforeAll(async () => {
  lease = await leaseDatabase();
  network = new StubNetwork();
  app = await boot({ lease, network, clock, controllers });
});
afterAll(async () => {
  await app.close();
  await lease.release();
});
beforeEach(() => {
  peer = new FakePeer(`peer-${++counter}.test`, network);
  clock.advanceSeconds(1);
});

const url = (path: string) => `https://${OUR_HOST}/ocm/probe/${path}`;
const notification = (from = peer.host) => ({ ...(golden('mls-commit') as object), senderDomain: from });

async function deliver(path: string, method: 'GET' | 'POST', headers: Changes, body = '', on = app): Promise<Answer> {
  const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  const answer = await on.inject({ method, url: `/ocm/probe/${path}`, headers: sent, ...(body && { payload: body }) });
  return { status: answer.statusCode, body: answer.json() };
}

/** A notification that `peer` signed, with fields changed afterwards. */
function post(changes: Changes = {}, content: object = notification(), key = peer.key): Promise<Answer> {
  const body = JSON.stringify(content);
  const headers = peer.sign('POST', url('notifications'), utf8(body), clock.now(), key);
  return deliver('notifications', 'POST', { ...headers, ...changes }, body);
}

const refused = (code: string, status = 401) => ({ status, body: expect.objectContaining({ code }) });

describe('a request that is signed by the server that it names', () => {
  test('R-095 passes with a body, and the handler knows who it is from', async () => {
    expect(await post()).toEqual({ status: 201, body: { from: peer.host, body: notification() } });
  });

  test('passes as a share, by the host of its sender', async () => {
    const body = JSON.stringify({ ...(golden('share') as object), sender: `alice@${peer.host}` });
    const headers = peer.sign('POST', url('shares'), utf8(body), clock.now());
    expect(await deliver('shares', 'POST', headers, body)).toEqual({ status: 201, body: { from: peer.host } });
  });

  test('passes as a form, by its client_id', async () => {
    const form = `grant_type=authorization_code&client_id=${peer.host}&code=a%2Bb`;
    const signed = peer.sign('POST', url('token'), utf8(form), clock.now());
    const headers = { ...signed, 'content-type': 'application/x-www-form-urlencoded' };
    expect(await deliver('token', 'POST', headers, form)).toEqual({
      status: 201,
      body: { from: peer.host, form: { grant_type: 'authorization_code', client_id: peer.host, code: 'a+b' } },
    });
  });

  test('R-036 passes without a body, by its key id, with the query covered', async () => {
    const path = 'packages?userId=alice%40b.test';
    const headers = peer.sign('GET', url(path), new Uint8Array(), clock.now());
    expect(await deliver(path, 'GET', headers)).toEqual({
      status: 200,
      body: { from: peer.host, userId: 'alice@b.test' },
    });
    clock.advanceSeconds(1);
    const again = peer.sign('GET', url(path), new Uint8Array(), clock.now());
    expect(await deliver('packages?userId=bob%40b.test', 'GET', again)).toEqual(refused('signature.invalid'));
  });

  test('passes when a proxy left out that the body is empty', async () => {
    const headers = peer.sign('GET', url('packages'), new Uint8Array(), clock.now());
    expect(await deliver('packages', 'GET', { ...headers, 'content-length': undefined })).toMatchObject({
      status: 200,
    });
  });

  test('passes with other signatures beside its own', async () => {
    const body = JSON.stringify(notification());
    const headers = peer.sign('POST', url('notifications'), utf8(body), clock.now());
    const accompanied = {
      ...headers,
      'signature-input': `proxy=("via");created=1;keyid="p", ${headers['signature-input']}`,
      signature: `proxy=:AAAA:, ${headers['signature']}`,
    };
    expect(await deliver('notifications', 'POST', accompanied, body)).toMatchObject({ status: 201 });
  });
});

describe('a request is refused with its code', () => {
  test('R-036 unsigned', async () => {
    expect(await deliver('packages', 'GET', { host: OUR_HOST })).toEqual(refused('signature.missing'));
    expect(await post({ 'signature-input': undefined, signature: undefined })).toEqual(refused('signature.missing'));
  });

  test('R-036 signed for plain HTTP', async () => {
    const headers = peer.sign('GET', url('packages').replace('https:', 'http:'), new Uint8Array(), clock.now());
    expect(await deliver('packages', 'GET', headers)).toEqual(refused('signature.invalid'));
  });

  test.each<[code: string, changes: (now: number, headers: Record<string, string>) => Changes]>([
    ['signature.malformed', () => ({ 'signature-input': '((' })],
    ['signature.malformed', () => ({ signature: 'ocm="x"' })],
    [
      'signature.ambiguous',
      (_, { 'signature-input': input, signature }) => ({
        'signature-input': `${input}, b=${input!.slice(4)}`,
        signature: `${signature}, b${signature!.slice(3)}`,
      }),
    ],
    [
      'signature.incomplete',
      (_, { 'signature-input': input }) => ({ 'signature-input': input!.replace('"content-digest" ', '') }),
    ],
    [
      'signature.stale',
      (now, { 'signature-input': input }) => ({
        'signature-input': input!.replace(/created=\d+/, `created=${now - 301}`),
      }),
    ],
    [
      'signature.future',
      (now, { 'signature-input': input }) => ({
        'signature-input': input!.replace(/created=\d+/, `created=${now + 61}`),
      }),
    ],
    [
      'signature.expired',
      (now, { 'signature-input': input }) => ({ 'signature-input': `${input};expires=${now - 1}` }),
    ],
    [
      'signature.digest-mismatch',
      (_, { 'content-digest': digest }) => ({
        'content-digest': `${digest}, sha-512=:${Buffer.alloc(64).toString('base64')}:`,
      }),
    ],
    ['signature.digest-unusable', () => ({ 'content-digest': 'crc32c=:AAAA:' })],
  ])('%s, and no server is asked for its keys', async (code, changes) => {
    const body = JSON.stringify(notification());
    const headers = peer.sign('POST', url('notifications'), utf8(body), clock.now());
    const before = network.asked.length;
    const changed = { ...headers, ...changes(clock.now().getTime() / 1000, headers) };
    expect(await deliver('notifications', 'POST', changed, body)).toEqual(refused(code));
    expect(network.asked).toHaveLength(before);
  });

  test('with another body', async () => {
    const headers = peer.sign('POST', url('notifications'), utf8(JSON.stringify(notification())), clock.now());
    const other = JSON.stringify({ ...notification(), extra: 1 });
    expect(await deliver('notifications', 'POST', { ...headers, 'content-length': undefined }, other)).toEqual(
      refused('signature.digest-mismatch'),
    );
  });

  test('signed with a key that is not the published one', async () => {
    expect(await post({}, notification(), pair(peer.key.signing.kid))).toEqual(refused('signature.invalid'));
  });

  test('signed with a key that is not published', async () => {
    expect(await post({}, notification(), pair(`${peer.host}#other`))).toEqual(refused('signature.key-unknown'));
  });

  test('signed with an alg parameter that is not of the published key', async () => {
    peer.published = [{ ...pair(peer.key.signing.kid, 'ES256').jwk }];
    expect(await post()).toEqual(refused('signature.alg-mismatch'));
  });

  test('verified by a key whose alg is missing or a MAC', async () => {
    peer.published = [{ ...peer.key.jwk, alg: 'HS256' }];
    expect(await post()).toEqual(refused('signature.key-unusable'));
  });

  test('signed by another server than the one it names', async () => {
    const victim = new FakePeer(`victim-${counter}.test`, network);
    expect(await post({}, notification(victim.host))).toEqual(refused('signature.wrong-domain'));
  });

  test('a GET whose key id names no server, or another one', async () => {
    for (const [kid, code] of [
      ['key1', 'signature.wrong-domain'],
      ['https://a.test/ocm#signature', 'signature.wrong-domain'],
      [`victim-of-${peer.host}#http-1`, 'signature.key-unavailable'],
    ] as const) {
      const headers = peer.sign('GET', url('packages'), new Uint8Array(), clock.now(), pair(kid));
      expect((await deliver('packages', 'GET', headers)).body['code']).toBe(code);
    }
  });

  test('a body that does not say who sends it', async () => {
    expect(await post({}, { notificationType: 'MLS_COMMIT' })).toEqual({
      status: 400,
      body: expect.objectContaining({
        code: 'body.malformed',
        validationErrors: [{ name: 'senderDomain', message: 'REQUIRED' }],
      }),
    });
  });

  test('while the keys cannot be read, with the advice to try again', async () => {
    network.at(`https://${peer.host}/ocm/jwks`, () => new Fault('peer.timeout'));
    expect(await post()).toEqual(refused('signature.key-unavailable', 503));
  });
});

describe('a signature counts once', () => {
  const once = async () => {
    const body = JSON.stringify(notification());
    const headers = peer.sign('POST', url('notifications'), utf8(body), clock.now());
    return (on = app) => deliver('notifications', 'POST', headers, body, on);
  };

  test('shown again it is refused, until it is stale anyway', async () => {
    const show = await once();
    expect(await show()).toMatchObject({ status: 201 });
    expect(await show()).toEqual(refused('signature.replayed'));
    clock.advanceSeconds(300);
    expect(await show()).toEqual(refused('signature.replayed'));
    clock.advanceSeconds(1);
    expect(await show()).toEqual(refused('signature.stale'));
  });

  test('of two at the same time one passes', async () => {
    const show = await once();
    const answers = await Promise.all([show(), show(), show()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 401, 401]);
  });

  test('a refused one is not remembered as seen', async () => {
    const keep = peer.published;
    peer.published = [];
    const show = await once();
    expect(await show()).toEqual(refused('signature.key-unknown'));
    peer.published = keep;
    clock.advanceSeconds(61);
    expect(await show()).toMatchObject({ status: 201 });
  });

  test('another replica on the same database knows it too', async () => {
    const show = await once();
    expect(await show()).toMatchObject({ status: 201 });
    if (lease.kind === 'embedded') await app.close();
    const other = await boot({ lease, network, clock, controllers, seed: 'two' });
    expect(await show(other)).toEqual(refused('signature.replayed'));
    await (lease.kind === 'embedded' ? Promise.resolve() : app.close());
    app = other;
  });
});

describe('the public host', () => {
  test('a request for another host is misdirected', async () => {
    expect(await post({ host: 'other.test' })).toEqual(refused('request.misdirected', 421));
    expect(await post({ host: `${OUR_HOST}:8443` })).toEqual(refused('request.misdirected', 421));
    expect(await post({ host: `${OUR_HOST}:443` })).toMatchObject({ status: 201 });
  });

  test('forwarding headers of whom we do not trust change nothing', async () => {
    expect(await post({ 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'http' })).toMatchObject({ status: 201 });
    expect(await post({ host: '10.0.0.5:8400', 'x-forwarded-host': OUR_HOST })).toEqual(
      refused('request.misdirected', 421),
    );
  });

  test('forwarding headers of a configured proxy count', async () => {
    if (lease.kind === 'embedded') await app.close();
    const environment = { COVEY_TRUSTED_PROXIES: '127.0.0.1' };
    const behind = await boot({ lease, network, clock, controllers, environment, seed: 'three' });
    const body = JSON.stringify(notification());
    const signed = () => peer.sign('POST', url('notifications'), utf8(body), clock.now());
    const inner = { ...signed(), host: '10.0.0.5:8400', 'x-forwarded-host': OUR_HOST };
    expect(await deliver('notifications', 'POST', inner, body, behind)).toMatchObject({ status: 201 });
    clock.advanceSeconds(1);
    const astray = { ...signed(), 'x-forwarded-host': 'evil.test' };
    expect(await deliver('notifications', 'POST', astray, body, behind)).toEqual(refused('request.misdirected', 421));
    await behind.close();
    if (lease.kind === 'embedded') app = await boot({ lease, network, clock, controllers, seed: 'four' });
  });
});

test('outcomes are counted by code', async () => {
  await post();
  await post({ signature: undefined });
  const text = await app.get(Metrics).text();
  expect(text).toMatch(/covey_signature_verifications_total\{outcome="ok"\} [1-9]/);
  expect(text).toMatch(/covey_signature_verifications_total\{outcome="signature.missing"\} [1-9]/);
});

describe('of old peers', () => {
  const flat = () => {
    const { federation } = (notification() as unknown as { notification: { federation: object } }).notification;
    return JSON.stringify({ notificationType: 'MLS_COMMIT', notification: federation });
  };
  const signedOld = (body: string) => {
    const headers = peer.sign('POST', url('notifications'), utf8(body), clock.now());
    return headers;
  };

  test('a body without senderDomain is understood only where that is configured', async () => {
    const body = flat();
    expect(await deliver('notifications', 'POST', signedOld(body), body)).toMatchObject({ status: 400 });
    if (lease.kind === 'embedded') await app.close();
    const environment = { COVEY_COMPAT: peer.host };
    const lenient = await boot({ lease, network, clock, controllers, environment, seed: 'five' });
    clock.advanceSeconds(1);
    expect(await deliver('notifications', 'POST', signedOld(body), body, lenient)).toEqual({
      status: 201,
      body: { from: peer.host, body: notification() },
    });
    await lenient.close();
    if (lease.kind === 'embedded') app = await boot({ lease, network, clock, controllers, seed: 'six' });
  });
});

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { Fault } from '../../src/kernel/fault.js';
import type { HttpRequest } from '../../src/kernel/network.js';
import { readRequest, verifyClaim } from '../../src/ocm/http-signature.js';
import { parseJwkSet, verificationKey } from '../../src/ocm/jwk-set.js';
import { PeerClient } from '../../src/ocm/peer.client.js';
import { ServerKeysService } from '../../src/ocm/server-keys.service.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase, type Lease } from '../support/database.js';
import { boot, NOW } from './boot.js';
import { FakePeer } from './fake-peer.js';
import { pair } from './signing.js';
import { json, StubNetwork } from './stub-network.js';

const clock = new TestClock(NOW);
const network = new StubNetwork();
const body = utf8('{"a":1}');
let lease: Lease;
let app: NestFastifyApplication;
let client: PeerClient;
let peer: FakePeer;
let counter = 0;

beforeAll(async () => {
  lease = await leaseDatabase();
  app = await boot({ lease, network, clock });
  client = app.get(PeerClient);
});
afterAll(async () => {
  await app.close();
  await lease.release();
});
beforeEach(() => {
  peer = new FakePeer(`peer-${++counter}.test`, network);
  network.asked.splice(0);
});

const of = () => host(peer.host);
const url = (path: string) => `https://${peer.host}/ocm${path}`;

/** What a peer finds when it verifies what we sent. */
async function verified({ method, url: targetUri, headers, body: sent = new Uint8Array() }: HttpRequest) {
  const head = { method, targetUri, fields: headers };
  const claim = readRequest(head, sent, { now: clock.now() });
  await verifyClaim(head, claim, verificationKey(parseJwkSet(app.get(ServerKeysService).published), claim.keyId));
  return claim;
}

describe('R-017 R-095 a notification', () => {
  test('is posted as JSON below the endPoint of the peer, and verifies', async () => {
    network.at(url('/notifications'), () => json({ ok: 1 }, 201));
    expect((await client.post(of(), '/notifications', body)).status).toBe(201);
    const sent = network.asked.at(-1)!;
    expect(sent).toMatchObject({ method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect(await verified(sent)).toMatchObject({ label: 'ocm', keyId: expect.stringMatching(/^b\.test#http-/) });
  });

  test('gives whatever the peer answers, and throws when it does not', async () => {
    for (const status of [202, 302, 409, 503]) {
      network.at(url('/notifications'), () => json({ status }, status));
      expect((await client.post(of(), '/notifications', body)).status).toBe(status);
    }
    network.at(url('/notifications'), () => new Fault('peer.timeout'));
    await expect(client.post(of(), '/notifications', body)).rejects.toThrow('peer.timeout');
  });

  test('R-031 goes where discovery says that the endPoint is', async () => {
    peer.document = { ...peer.document, endPoint: 'https://ocm.example.net/deep/ocm/' };
    network.at('https://ocm.example.net/deep/ocm/notifications', () => json({}, 201));
    expect((await client.post(of(), '/notifications', body)).status).toBe(201);
  });
});

test('like requests of one second differ, so that none looks like a replay', async () => {
  network.at(url('/notifications'), () => json({}, 201));
  for (let time = 0; time < 3; time++) await client.post(of(), '/notifications', body);
  const sent = network.asked.filter(({ method }) => method === 'POST');
  expect(new Set(sent.map(({ headers }) => headers['signature'])).size).toBe(3);
  const dated = await Promise.all(sent.map(async (request) => (await verified(request)).created.getTime()));
  expect(dated.map((time) => (time - clock.now().getTime()) / 1000)).toEqual([0, 1, 2]);
});

test('a form is posted signed, to where the peer wants it', async () => {
  network.at(url('/token'), () => json({ access_token: 't' }));
  const form = { grant_type: 'authorization_code', client_id: 'b.test', code: 'a+b &c' };
  expect((await client.postForm(of(), url('/token'), form)).status).toBe(200);
  const sent = network.asked.at(-1)!;
  expect(Buffer.from(sent.body!).toString()).toBe('grant_type=authorization_code&client_id=b.test&code=a%2Bb+%26c');
  expect(sent.headers['content-type']).toBe('application/x-www-form-urlencoded');
  await verified(sent);
});

test.each(['http://peer.test/token', 'https://10.0.0.1/token', 'nonsense'])(
  'a form is not posted to %s',
  async (target) => {
    await expect(client.postForm(of(), target, {})).rejects.toThrow('peer.url-refused');
    expect(network.asked).toHaveLength(0);
  },
);

describe('R-214 a signed answer', () => {
  const path = '/mls-key-packages?userId=alice%40a.test';
  const answered = json({ keyPackages: [] });
  const now = () => clock.now();

  test('R-035 is asked for with a signed GET that covers the query and the empty body', async () => {
    peer.answerSigned(url('/mls-key-packages'), answered, now);
    expect((await client.getSigned(of(), path)).body).toEqual(answered.body);
    const sent = network.asked.find(({ url: asked }) => asked.includes('mls-key-packages'))!;
    expect(sent).toMatchObject({ method: 'GET', url: url(path), headers: { 'content-length': '0' } });
    expect(sent.body).toBeUndefined();
    expect((await verified(sent)).label).toBe('ocm');
  });

  test.each<[string, () => void]>([
    ['is not signed', () => network.at(url('/mls-key-packages'), () => answered)],
    [
      'is signed with another key',
      () => {
        const other = pair(peer.key.signing.kid);
        peer.answerSigned(url('/mls-key-packages'), answered, now, () => other);
      },
    ],
    [
      'is signed with a key that is not published',
      () => {
        const other = pair(`${peer.host}#other`);
        peer.answerSigned(url('/mls-key-packages'), answered, now, () => other);
      },
    ],
    [
      'is old',
      () => peer.answerSigned(url('/mls-key-packages'), answered, () => new Date(clock.now().getTime() - 400_000)),
    ],
  ])('that %s is refused', async (_, arrange) => {
    arrange();
    await expect(client.getSigned(of(), path)).rejects.toThrow('peer.answer-unverified');
  });

  test('that was changed on the way is refused', async () => {
    peer.answerSigned(url('/mls-key-packages'), answered, now, () => peer.key, utf8('{"keyPackages":["evil"]}'));
    await expect(client.getSigned(of(), path)).rejects.toThrow('peer.answer-unverified');
  });

  test('that belongs to another request is refused', async () => {
    peer.answerSigned(url('/mls-key-packages'), answered, now);
    const earlier = await client.getSigned(of(), path);
    network.at(url('/mls-key-packages'), () => earlier);
    await expect(client.getSigned(of(), path)).rejects.toThrow('peer.answer-unverified');
  });

  test('of no success needs no signature: its status says enough', async () => {
    network.at(url('/mls-key-packages'), () => json({}, 404));
    expect((await client.getSigned(of(), path)).status).toBe(404);
  });
});

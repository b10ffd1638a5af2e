import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { Fault } from '../../src/kernel/fault.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { OUR_HOST } from './boot.js';
import { FakePeer } from './fake-peer.js';
import { golden } from './golden.js';
import { Probe, refused, urlOf, type Changes } from './probe.js';
import { pair } from './signing.js';

let probe: Probe;
beforeAll(async () => {
  probe = await Probe.start();
});
afterAll(() => probe.stop());
beforeEach(() => probe.nextPeer());

const NOTHING = new Uint8Array();
const signedGet = (url: string, key = probe.peer.key) => probe.peer.sign('GET', url, NOTHING, probe.clock.now(), key);

describe('a request that is signed by the server that it names', () => {
  test('R-095 passes with a body, and the handler knows who it is from', async () => {
    expect(await probe.post()).toEqual({
      status: 201,
      body: { from: probe.peer.host, body: probe.notification() },
    });
  });

  test('passes as a share, by the host of its sender', async () => {
    const body = JSON.stringify({ ...(golden('share') as object), sender: `alice@${probe.peer.host}` });
    const headers = probe.peer.sign('POST', urlOf('shares'), utf8(body), probe.clock.now());
    expect(await probe.deliver('shares', 'POST', headers, body)).toEqual({
      status: 201,
      body: { from: probe.peer.host },
    });
  });

  test('passes as a form, by its client_id', async () => {
    const { host } = probe.peer;
    const form = `grant_type=authorization_code&client_id=${host}&code=a%2Bb`;
    const signed = probe.peer.sign('POST', urlOf('token'), utf8(form), probe.clock.now());
    const headers = { ...signed, 'content-type': 'application/x-www-form-urlencoded' };
    expect(await probe.deliver('token', 'POST', headers, form)).toEqual({
      status: 201,
      body: { from: host, form: { grant_type: 'authorization_code', client_id: host, code: 'a+b' } },
    });
  });

  test('R-036 passes without a body, by its key id, with the query covered', async () => {
    const path = 'packages?userId=alice%40b.test';
    expect(await probe.deliver(path, 'GET', signedGet(urlOf(path)))).toEqual({
      status: 200,
      body: { from: probe.peer.host, userId: 'alice@b.test' },
    });
    probe.clock.advanceSeconds(1);
    expect(await probe.deliver('packages?userId=bob%40b.test', 'GET', signedGet(urlOf(path)))).toEqual(
      refused('signature.invalid'),
    );
  });

  test('passes when a proxy left out that the body is empty', async () => {
    const headers = { ...signedGet(urlOf('packages')), 'content-length': undefined };
    expect(await probe.deliver('packages', 'GET', headers)).toMatchObject({ status: 200 });
  });

  test('passes with other signatures beside its own', async () => {
    const body = JSON.stringify(probe.notification());
    const headers = probe.signed(body);
    const accompanied = {
      ...headers,
      'signature-input': `proxy=("via");created=1;keyid="p", ${headers['signature-input']}`,
      signature: `proxy=:AAAA:, ${headers['signature']}`,
    };
    expect(await probe.deliver('notifications', 'POST', accompanied, body)).toMatchObject({ status: 201 });
  });
});

describe('a request is refused with its code', () => {
  test('R-036 unsigned', async () => {
    expect(await probe.deliver('packages', 'GET', { host: OUR_HOST })).toEqual(refused('signature.missing'));
    expect(await probe.post({ 'signature-input': undefined, signature: undefined })).toEqual(
      refused('signature.missing'),
    );
  });

  test('R-036 signed for plain HTTP', async () => {
    const headers = signedGet(urlOf('packages').replace('https:', 'http:'));
    expect(await probe.deliver('packages', 'GET', headers)).toEqual(refused('signature.invalid'));
  });

  const input = (change: (value: string, now: number) => string) => (headers: Changes, now: number) => ({
    'signature-input': change(headers['signature-input']!, now),
  });
  test.each<[code: string, changes: (headers: Changes, now: number) => Changes]>([
    ['signature.malformed', () => ({ 'signature-input': '((' })],
    ['signature.malformed', () => ({ signature: 'ocm="x"' })],
    [
      'signature.ambiguous',
      ({ 'signature-input': one, signature }) => ({
        'signature-input': `${one}, b=${one!.slice(4)}`,
        signature: `${signature}, b${signature!.slice(3)}`,
      }),
    ],
    ['signature.incomplete', input((value) => value.replace('"content-digest" ', ''))],
    ['signature.stale', input((value, now) => value.replace(/created=\d+/, `created=${now - 301}`))],
    ['signature.future', input((value, now) => value.replace(/created=\d+/, `created=${now + 61}`))],
    ['signature.expired', input((value, now) => `${value};expires=${now - 1}`)],
    [
      'signature.digest-mismatch',
      ({ 'content-digest': digest }) => ({
        'content-digest': `${digest}, sha-512=:${Buffer.alloc(64).toString('base64')}:`,
      }),
    ],
    ['signature.digest-unusable', () => ({ 'content-digest': 'crc32c=:AAAA:' })],
  ])('%s, and no server is asked for its keys', async (code, changes) => {
    const body = JSON.stringify(probe.notification());
    const headers = probe.signed(body);
    const before = probe.network.asked.length;
    const changed = { ...headers, ...changes(headers, probe.clock.now().getTime() / 1000) };
    expect(await probe.deliver('notifications', 'POST', changed, body)).toEqual(refused(code));
    expect(probe.network.asked).toHaveLength(before);
  });

  test('with another body', async () => {
    const headers = probe.signed(JSON.stringify(probe.notification()));
    const other = JSON.stringify({ ...probe.notification(), extra: 1 });
    expect(await probe.deliver('notifications', 'POST', { ...headers, 'content-length': undefined }, other)).toEqual(
      refused('signature.digest-mismatch'),
    );
  });

  test('signed with a key that is not the published one', async () => {
    const forged = pair(probe.peer.key.signing.kid);
    expect(await probe.post({}, probe.notification(), forged)).toEqual(refused('signature.invalid'));
  });

  test('signed with a key that is not published', async () => {
    const other = pair(`${probe.peer.host}#other`);
    expect(await probe.post({}, probe.notification(), other)).toEqual(refused('signature.key-unknown'));
  });

  test('signed with an alg parameter that is not of the published key', async () => {
    probe.peer.published = [{ ...pair(probe.peer.key.signing.kid, 'ES256').jwk }];
    expect(await probe.post()).toEqual(refused('signature.alg-mismatch'));
  });

  test('verified by a key whose alg is a MAC', async () => {
    probe.peer.published = [{ ...probe.peer.key.jwk, alg: 'HS256' }];
    expect(await probe.post()).toEqual(refused('signature.key-unusable'));
  });

  test('signed by another server than the one it names', async () => {
    const victim = new FakePeer(`victim-of-${probe.peer.host}`, probe.network);
    expect(await probe.post({}, probe.notification(victim.host))).toEqual(refused('signature.wrong-domain'));
  });

  test('a GET whose key id names no server, or another one', async () => {
    for (const [kid, code] of [
      ['key1', 'signature.wrong-domain'],
      ['https://a.test/ocm#signature', 'signature.wrong-domain'],
      [`nobody-at-${probe.peer.host}#http-1`, 'signature.key-unavailable'],
    ] as const) {
      const { body } = await probe.deliver('packages', 'GET', signedGet(urlOf('packages'), pair(kid)));
      expect(body['code']).toBe(code);
    }
  });

  test('a body that does not say who sends it', async () => {
    expect(await probe.post({}, { notificationType: 'MLS_COMMIT' })).toMatchObject({
      status: 400,
      body: { code: 'body.malformed', validationErrors: [{ name: 'senderDomain', message: 'REQUIRED' }] },
    });
  });

  test('while the keys cannot be read, with the advice to try again', async () => {
    probe.network.at(`https://${probe.peer.host}/ocm/jwks`, () => new Fault('peer.timeout'));
    expect(await probe.post()).toEqual(refused('signature.key-unavailable', 503));
  });
});

test('outcomes are counted by code', async () => {
  await probe.post();
  await probe.post({ signature: undefined });
  const text = await probe.app.get(Metrics).text();
  expect(text).toMatch(/covey_signature_verifications_total\{outcome="ok"\} [1-9]/);
  expect(text).toMatch(/covey_signature_verifications_total\{outcome="signature.missing"\} [1-9]/);
});

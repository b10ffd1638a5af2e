import { expect, test } from 'vitest';
import { BEGINNING } from '../../src/feed/cursor.js';
import { failed, judgeAnswer, resumed, showSecret, signedHeaders, type Webhook } from '../../src/feed/webhook.js';

const at = (seconds: number) => new Date(1614265330_000 + seconds * 1000);
const answer = (status: number, headers = {}) => ({ status, headers, body: new Uint8Array() });

test('a webhook is signed as Standard Webhooks has it, once for each secret', async () => {
  // The example of the specification.
  const secret = new Uint8Array(Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'));
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at: at(0), body: '{"test": 2432232314}' };
  const expected = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
  expect(signedHeaders(message, [secret])).toEqual({
    'webhook-id': message.id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': expected,
  });
  expect(showSecret(secret)).toBe('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  const other = new Uint8Array(32).fill(7);
  const key = await crypto.subtle.importKey('raw', other, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const signed = Buffer.from(`${message.id}.1614265330.${message.body}`);
  const mac = Buffer.from(await crypto.subtle.sign('HMAC', key, signed)).toString('base64');
  expect(signedHeaders(message, [other, secret])['webhook-signature']).toBe(`v1,${mac} ${expected}`);
});

test('an answer is judged by its status', () => {
  expect([200, 204, 299].map((status) => judgeAnswer(answer(status), at(0)).kind)).toEqual(Array(3).fill('delivered'));
  expect(judgeAnswer(answer(410), at(0))).toEqual({ kind: 'gone' });
  expect([301, 400, 404, 503].map((status) => judgeAnswer(answer(status), at(0)).kind)).toEqual(
    Array(4).fill('failed'),
  );
  expect(judgeAnswer(answer(503, { 'retry-after': '120' }), at(0))).toMatchObject({ why: '503', waitMs: 120_000 });
});

test('who takes nothing for five days is given up, and may be taken up again', () => {
  const fresh: Webhook = {
    id: 'x',
    url: 'https://efss.test',
    filter: {},
    state: 'active',
    cursor: BEGINNING,
    failures: 0,
    createdAt: at(0),
  };
  const once = failed(fresh, '503', at(0), 2_000);
  expect(once).toMatchObject({ state: 'active', failures: 1, failingSince: at(0), dueAt: at(2) });
  const almost = failed(once, 'peer.timeout', at(5 * 86_400 - 1), 2_000);
  expect(almost).toMatchObject({ state: 'active', failures: 2, failingSince: at(0) });
  const over = failed(almost, '503', at(5 * 86_400), 2_000);
  expect(over).toMatchObject({ state: 'stopped', reason: 'failing', lastOutcome: '503' });
  expect(over).not.toHaveProperty('dueAt');
  expect(resumed(over, BEGINNING)).toEqual({ ...fresh, lastOutcome: '503' });
});

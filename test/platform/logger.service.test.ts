import { expect, test } from 'vitest';
import { Fault } from '../../src/kernel/fault.js';
import { Log } from '../../src/platform/logger.service.js';

function log() {
  const lines: string[] = [];
  const to = new Log('trace', { write: (line) => lines.push(line) });
  return { to, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown>, all: () => lines.join('') };
}

test('an entry is one line of JSON with its event, its facts and its words', () => {
  const { to, last } = log();
  to.info({ event: 'commit.accepted', group: 'g', peer: 'b.test' }, 'accepted');
  expect(last()).toMatchObject({
    level: 'info',
    event: 'commit.accepted',
    group: 'g',
    peer: 'b.test',
    msg: 'accepted',
  });
});

test('a request of one log is none of another', () => {
  const [one, other] = [log(), log()];
  one.to.within('r-7', () => other.to.warn({ event: 'x' }, 'x'));
  expect(other.last()['request']).toBeUndefined();
});

test('what is logged within a request carries its id, after waiting too', async () => {
  const { to, last } = log();
  await to.within('r-7', async () => {
    await Promise.resolve();
    to.warn({ event: 'x' }, 'x');
  });
  expect(last()['request']).toBe('r-7');
  to.warn({ event: 'x' }, 'x');
  expect(last()['request']).toBeUndefined();
});

test('a fault is logged with its code, its facts and its cause', () => {
  const { to, last } = log();
  const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  to.error({ event: 'x', err: new Fault('peer.unreachable', { peer: 'b.test' }, cause) }, 'x');
  expect(last()['err']).toMatchObject({
    code: 'peer.unreachable',
    facts: { peer: 'b.test' },
    cause: { code: 'ECONNREFUSED', message: 'connect' },
  });
});

test.each([
  ['a header', { headers: { authorization: 'Bearer hunter2', cookie: 'hunter2' } }],
  ['a share', { share: { protocol: { sharedSecret: 'hunter2' } } }],
  ['a form', { form: { code: 'hunter2', client_secret: 'hunter2' } }],
  ['an answer', { access_token: 'hunter2', refresh_token: 'hunter2' }],
  ['a key', { privateKey: 'hunter2', jwk: { d: 'hunter2' } }],
  ['an error with a code', { err: Object.assign(new Error('x'), { code: 'hunter2', token: 'hunter2' }) }],
  ['a code', { code: 'hunter2' }],
  ['a deep field', { a: { b: { c: [{ d: { accessToken: 'hunter2' } }] } } }],
  ['a sentence', { why: 'sent Authorization: Bearer hunter2 to b.test' }],
  ['an error', { err: new Error('refused: bearer hunter2') }],
])('%s that was logged by mistake shows no secret', (_, facts) => {
  const { to, all } = log();
  to.info({ event: 'x', ...facts }, 'x');
  expect(all()).not.toContain('hunter2');
});

test('the code of a fault is not taken for a secret', () => {
  const { to, last } = log();
  to.info({ event: 'request.refused', code: 'api-key.unknown' }, 'refused');
  expect(last()['code']).toBe('api-key.unknown');
});

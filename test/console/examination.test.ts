import { expect, test } from 'vitest';
import {
  clockCheck,
  countChecks,
  discoveryCheck,
  peerCheck,
  publishedKeysCheck,
} from '../../src/console/examination.js';

const meant = { endPoint: 'https://a.test/ocm', jwksUri: 'https://a.test/ocm/jwks' };
const now = new Date('2026-03-01T12:00:00.000Z');

test.each([
  [meant, 'ok'],
  ['peer.unreachable', 'wrong'],
  [{ ...meant, endPoint: 'https://old.test/ocm' }, 'wrong'],
  [{ endPoint: meant.endPoint }, 'wrong'],
])('what others read of us: %j', (found, state) => {
  expect(discoveryCheck(found, meant).state).toBe(state);
});

test('keys that others do not find are named', () => {
  expect(publishedKeysCheck([])).toMatchObject({ state: 'ok' });
  expect(publishedKeysCheck(['a.test#http-1'])).toMatchObject({
    state: 'wrong',
    says: 'others do not find a.test#http-1',
  });
  expect(publishedKeysCheck('peer.timeout').state).toBe('wrong');
});

test.each([
  [404, 'ok'],
  [401, 'wrong'],
  [403, 'wrong'],
  [503, 'warning'],
  ['peer.timeout', 'warning'],
])('a server that answers %s', (answer, state) => {
  expect(peerCheck('b.test', answer).state).toBe(state);
});

test('clocks may differ by a minute', () => {
  expect(clockCheck('b.test', 'Sun, 01 Mar 2026 12:00:30 GMT', now)).toMatchObject({
    state: 'ok',
    says: '30 s ahead of ours',
  });
  expect(clockCheck('b.test', 'Sun, 01 Mar 2026 11:58:00 GMT', now)).toMatchObject({
    state: 'wrong',
    says: '120 s behind ours',
  });
  expect(clockCheck('b.test', undefined, now)).toBeUndefined();
});

test('what lacks or stands still is counted', () => {
  const none = countChecks({ short: 0, dead: 0, drifted: 0, sealedBefore: 0, stopped: 0, unread: 0 });
  expect(none.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'ok']);
  const some = countChecks({ short: 1, dead: 2, drifted: 3, sealedBefore: 4, stopped: 5, unread: 6 });
  expect(some.map(({ state, says }) => [state, says.split(' ')[0]])).toEqual([
    ['warning', '1'],
    ['wrong', '2'],
    ['wrong', '3'],
    ['warning', '4'],
    ['wrong', '5'],
    ['wrong', '6'],
  ]);
});

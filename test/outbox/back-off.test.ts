import { expect, test } from 'vitest';
import { jitterFrom, retryAfterMs, waitAfter } from '../../src/outbox/back-off.js';

const BACK_OFF = { firstMs: 2_000, longestMs: 3_600_000 };
const AT = new Date('2027-01-04T09:00:00Z');

test('the wait doubles with each failure until it is an hour', () => {
  const waits = [1, 2, 3, 4, 11, 12, 13, 1000].map((failures) => waitAfter(failures, 0.5, BACK_OFF));
  expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 2_048_000, 3_600_000, 3_600_000, 3_600_000]);
});

test('jitter spreads the wait by a quarter to both sides', () => {
  expect([0, 0.5, 1].map((jitter) => waitAfter(3, jitter, BACK_OFF))).toEqual([6_000, 8_000, 10_000]);
});

test('with the defaults, 200 tries outlast five days even when all the dice fall low', () => {
  let waited = 0;
  for (let failures = 1; failures < 200; failures++) waited += waitAfter(failures, 0, BACK_OFF);
  expect(waited / 86_400_000).toBeGreaterThan(5);
});

test('jitter is made of four bytes', () => {
  expect(jitterFrom(Uint8Array.of(0, 0, 0, 0))).toBe(0);
  expect(jitterFrom(Uint8Array.of(0x80, 0, 0, 0))).toBe(0.5);
  expect(jitterFrom(Uint8Array.of(255, 255, 255, 255))).toBeLessThan(1);
});

test.each([
  ['30', 30_000],
  [' 0 ', 0],
  ['Mon, 04 Jan 2027 09:01:00 GMT', 60_000],
  ['Mon, 04 Jan 2027 08:00:00 GMT', 0],
  ['9999999999', 6 * 3_600_000],
  ['Mon, 04 Jan 2099 09:00:00 GMT', 6 * 3_600_000],
  ['-5', 0],
  ['soon', 0],
  ['', 0],
  [undefined, 0],
])('Retry-After %j asks for %i ms', (field, ms) => expect(retryAfterMs(field, AT)).toBe(ms));

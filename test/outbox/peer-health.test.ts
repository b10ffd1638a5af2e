import { expect, test } from 'vitest';
import { type Failing, failed, heard, lanesAllowed, setAside, well } from '../../src/outbox/peer-health.js';

const BACK_OFF = { firstMs: 2_000, longestMs: 3_600_000 };
const start = new Date('2027-01-04T09:00:00Z').getTime();
const at = (seconds: number) => new Date(start + seconds * 1000);
const failure = (seconds: number, retryAfterMs = 0, startedAt = at(seconds)) => ({
  startedAt,
  at: at(seconds),
  reason: 'peer.timeout',
  retryAfterMs,
});
const failingAt = (seconds: number): Failing => failed(well(at(0)), failure(seconds), 0.5, BACK_OFF);

test('a first failure makes a peer fail from then on, and waits the first delay', () => {
  expect(failingAt(5)).toEqual({
    state: 'failing',
    since: at(5),
    failures: 1,
    lastAt: at(5),
    nextTryAt: at(7),
    reason: 'peer.timeout',
  });
});

test('each further failure waits twice as long, and remembers since when', () => {
  const twice = failed(failingAt(5), failure(10), 0.5, BACK_OFF);
  expect(twice).toMatchObject({ since: at(5), failures: 2, nextTryAt: at(14) });
});

test('lanes that were under way when the peer failed do not count as further failures', () => {
  const first = failingAt(5);
  expect(failed(first, failure(6, 0, at(4)), 0.5, BACK_OFF)).toBe(first);
});

test('Retry-After counts when it is longer than the back-off', () => {
  expect(failed(well(at(0)), failure(0, 60_000), 0.5, BACK_OFF).nextTryAt).toEqual(at(60));
  expect(failed(well(at(0)), failure(0, 1_000), 0.5, BACK_OFF).nextTryAt).toEqual(at(2));
});

test('who was heard from is well again at once', () => {
  expect(heard(failingAt(5), at(6))).toEqual({ state: 'healthy', since: at(6) });
});

test('an unsupported peer stays so since it was set aside, and is looked at rarely', () => {
  const aside = setAside(failingAt(5), at(10), 'http 501', 'digest');
  expect(aside).toMatchObject({ state: 'unsupported', since: at(10), nextTryAt: at(10 + 6 * 3600) });
  expect(setAside(aside, at(99), 'http 501', 'digest')).toMatchObject({ since: at(10), lastAt: at(99) });
});

test('an unsupported peer that is heard from is looked at sooner, but not all the time', () => {
  const aside = setAside(well(at(0)), at(0), 'http 501', 'digest');
  expect(heard(aside, at(1))).toMatchObject({ state: 'unsupported', nextTryAt: at(600) });
  expect(heard(aside, at(7200))).toMatchObject({ nextTryAt: at(7200) });
  const soon = heard(aside, at(1));
  expect(heard(soon, at(2))).toBe(soon);
});

test('many lanes to a peer that is well, one to a failing one when its time has come, none before', () => {
  expect(lanesAllowed(well(at(0)), at(0), 4)).toBe(4);
  expect(lanesAllowed(failingAt(5), at(6), 4)).toBe(0);
  expect(lanesAllowed(failingAt(5), at(7), 4)).toBe(1);
  expect(lanesAllowed(setAside(well(at(0)), at(0), 'x', 'y'), at(60), 4)).toBe(0);
});

import { expect, test } from 'vitest';
import { lifetimeOf, pauseAfter } from '../../src/ocm/cache-lifetime.js';

test.each([
  [{}, 1800],
  [{ 'cache-control': 'public, max-age=600' }, 600],
  [{ 'cache-control': 'max-age=600', age: '100' }, 500],
  [{ 'cache-control': 'Max-Age="600"' }, 600],
  [{ 'cache-control': 's-maxage=600' }, 1800],
  [{ 'cache-control': 'max-age=1' }, 60],
  [{ 'cache-control': 'max-age=99999999' }, 21600],
  [{ 'cache-control': 'max-age=99999999999999999999' }, 1800],
  [{ 'cache-control': 'no-store, max-age=600' }, 60],
  [{ 'cache-control': 'no-cache' }, 60],
  [{ 'cache-control': 'max-age=600', age: '700' }, 60],
])('%j is believed for %i s', (headers, seconds) => {
  expect(lifetimeOf(headers as Record<string, string>)).toBe(seconds * 1000);
});

test('a server that keeps failing is asked less and less often, but never forgotten', () => {
  expect([1, 2, 3, 6, 100].map(pauseAfter)).toEqual([5_000, 10_000, 20_000, 60_000, 60_000]);
});

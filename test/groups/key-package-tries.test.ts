import { expect, test } from 'vitest';
import { MOST_TRIES, nextTryAt } from '../../src/groups/key-package-tries.js';

test('the wait for a KeyPackage doubles from five seconds up to an hour, and all of it is about three days', () => {
  const waits = Array.from({ length: MOST_TRIES }, (_, tries) => nextTryAt(tries, new Date(0)).getTime());
  expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
  expect(waits.at(-1)).toBe(3_600_000);
  const days = waits.reduce((sum, wait) => sum + wait, 0) / 86_400_000;
  expect(days).toBeGreaterThan(2.5);
  expect(days).toBeLessThan(3.5);
});

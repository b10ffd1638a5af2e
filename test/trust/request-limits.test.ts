import { expect, test } from 'vitest';
import { MOST_CHANGES } from '../../src/groups/commit-plan.js';
import { requestLimit, ticketsAtOnce } from '../../src/trust/request-limits.js';

test('a group of a thousand on twenty servers is built at one go within what each server may ask', () => {
  const members = 1_000;
  const commits = Math.ceil(members / MOST_CHANGES);
  // Fifty on each server, or all of them on one: whoever builds the group asks that one for all KeyPackages, and sends it
  // a Welcome for each and every Commit.
  for (const there of [members / 20, members]) {
    expect(there).toBeLessThanOrEqual(requestLimit('/ocm/mls-key-packages', 100).burst / 2);
    expect(there + commits).toBeLessThanOrEqual(requestLimit('/ocm/notifications', 100).burst / 2);
  }
});

test('a share of it, and never nothing', () => {
  expect(requestLimit('/ocm/shares', 50)).toEqual({ everyMs: 200, burst: 1_500 });
  expect(requestLimit('/ocm/shares', 1_000)).toEqual({ everyMs: 10, burst: 30_000 });
  expect(requestLimit('/anything', 1)).toEqual({ everyMs: 10_000, burst: 10 });
  for (const percent of [1, 10, 100, 10_000]) {
    const limit = requestLimit('/ocm/token', percent);
    expect(ticketsAtOnce(limit)).toBeGreaterThanOrEqual(1);
    expect(ticketsAtOnce(limit)).toBeLessThanOrEqual(limit.burst);
  }
});

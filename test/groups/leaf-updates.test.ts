import { expect, test } from 'vitest';
import { isStale, lookAgain, nextUpdate } from '../../src/groups/leaf-updates.js';
import { ocmAddress } from '../../src/kernel/address.js';
import type { MlsGroupId } from '../../src/kernel/ids.js';

const HOUR = 3_600_000;
const INTERVAL = 8 * HOUR;
const STEP = INTERVAL / 16;
const T0 = new Date('2027-01-04T09:12:34.567Z');
const lab = 'lab' as MlsGroupId;
const people = Array.from({ length: 500 }, (_, index) => ocmAddress(`user${index}@${index % 7}.test`));
const times = (mlsGroupId: MlsGroupId, updatedAt: Date, fresh: boolean) =>
  people.map((address) => nextUpdate({ mlsGroupId, address, updatedAt, fresh }, INTERVAL).getTime());
const distinct = (list: readonly number[]) => new Set(list).size;

test('R-128 a leaf is renewed within the interval, and not before almost half of it', () => {
  for (const time of times(lab, T0, false)) {
    expect(time).toBeGreaterThan(T0.getTime() + INTERVAL / 2 - STEP);
    expect(time).toBeLessThanOrEqual(T0.getTime() + INTERVAL);
  }
});

test('a thousand leaves that were renewed together come at a few moments, evenly', () => {
  const found = times(lab, T0, false);
  expect(distinct(found)).toBeGreaterThanOrEqual(8);
  expect(distinct(found)).toBeLessThanOrEqual(9);
  const most = Math.max(...[...new Set(found)].map((moment) => found.filter((time) => time === moment).length));
  expect(most).toBeLessThan(people.length / 4);
});

test('leaves of one group share their moments, whenever they were renewed; other groups have others', () => {
  const moments = (group: MlsGroupId, minutes: number) =>
    times(group, new Date(T0.getTime() + minutes * 60_000), false).map((time) => time % STEP);
  expect(distinct([...moments(lab, 0), ...moments(lab, 7), ...moments(lab, 23)])).toBe(1);
  expect(moments('attic' as MlsGroupId, 0)[0]).not.toBe(moments(lab, 0)[0]);
});

test('a fresh leaf is renewed soon, all that came together at the same moment', () => {
  const found = times(lab, T0, true);
  expect(distinct(found)).toBe(1);
  expect(found[0]).toBeGreaterThan(T0.getTime() + STEP);
  expect(found[0]).toBeLessThanOrEqual(T0.getTime() + 2 * STEP);
});

test('a leaf for which nothing could be done is looked at again at the next moment', () => {
  expect(lookAgain(T0, INTERVAL)).toEqual(new Date(T0.getTime() + STEP));
});

test('R-129 a leaf is stale when its deadline is over, and not before', () => {
  const leaf = { updatedAt: T0 };
  expect(isStale(leaf, new Date(T0.getTime() + INTERVAL), INTERVAL)).toBe(false);
  expect(isStale(leaf, new Date(T0.getTime() + INTERVAL + 1), INTERVAL)).toBe(true);
});

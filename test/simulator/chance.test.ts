import { expect, test } from 'vitest';
import { Chance } from './chance.js';

const drawn = (seed: string) => {
  const chance = new Chance(seed);
  const weighted = [
    { name: 'often', weight: 9 },
    { name: 'never', weight: 0 },
    { name: 'seldom', weight: 1 },
  ];
  return {
    numbers: Array.from({ length: 200 }, () => chance.between(3, 7)),
    some: chance.some(['a', 'b', 'c'], 2),
    names: Array.from({ length: 200 }, () => chance.weighted(weighted)!.name),
  };
};

test('the same seed decides the same, another one something else', () => {
  expect(drawn('1')).toEqual(drawn('1'));
  expect(drawn('1')).not.toEqual(drawn('2'));
});

test('all that may come comes, by its weight, and nothing else', () => {
  const { numbers, some, names } = drawn('1');
  expect([...new Set(numbers)].sort((one, other) => one - other)).toEqual([3, 4, 5, 6, 7]);
  expect(new Set(some).size).toBe(2);
  expect(new Set(names)).toEqual(new Set(['often', 'seldom']));
  expect(names.filter((name) => name === 'often').length).toBeGreaterThan(150);
});

test('nothing is picked out of nothing', () => expect(new Chance('1').pick([])).toBeUndefined());

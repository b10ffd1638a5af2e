import { describe, expect, test } from 'vitest';
import { ocmAddress, type OcmAddress } from '../../src/kernel/address.js';
import { appendsOnly, keepsOrder, withoutDeparted } from '../../src/mls/admin-set.js';

const set = (names: string): OcmAddress[] => names.split('').map((name) => ocmAddress(`${name}@${name}.test`));

describe('an admin set that becomes another', () => {
  test.each([
    ['abc', 'abc', true, true],
    ['abc', 'abcd', true, true],
    ['abc', 'abcde', true, true],
    ['abc', 'ac', true, true],
    ['abc', 'bc', true, true],
    ['abc', 'acd', true, true],
    ['abc', 'de', true, true],
    ['abc', '', true, true],
    ['', 'a', true, true],
    ['abc', 'bac', false, true],
    ['abc', 'bca', false, true],
    ['abc', 'badc', false, false],
    ['abc', 'dabc', true, false],
    ['abc', 'abdc', true, false],
    ['abc', 'adc', true, false],
    ['abc', 'abcdd', true, false],
    ['abc', 'abca', false, true],
    ['abc', 'aabc', false, true],
  ])('from "%s" to "%s": keeps the order %s, appends only %s', (before, after, order, appended) => {
    expect(keepsOrder(set(before), set(after))).toBe(order);
    expect(appendsOnly(set(before), set(after))).toBe(appended);
  });
});

test('whose membership has ended is no admin any more', () => {
  expect(withoutDeparted(set('abc'), new Set(set('acd')))).toEqual(set('ac'));
});

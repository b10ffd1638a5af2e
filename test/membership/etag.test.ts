import { expect, test } from 'vitest';
import { etagOf, isCurrent } from '../../src/membership/etag.js';

const at = (epoch: number, mlsGroupId = 'g') => ({ mlsGroupId, epoch });

test('a tag changes with the epoch and the group, not with the order', () => {
  expect(etagOf([at(1)])).toMatch(/^"[\w-]{27}"$/);
  expect(etagOf([at(1)])).toBe(etagOf([at(1)]));
  const all = [etagOf([]), etagOf([at(1)]), etagOf([at(2)]), etagOf([at(1, 'h')]), etagOf([at(1), at(1, 'h')])];
  expect(new Set(all).size).toBe(all.length);
  expect(etagOf([at(1), at(1, 'h')])).toBe(etagOf([at(1, 'h'), at(1)]));
});

test.each([
  [undefined, false],
  ['', false],
  ['"x"', false],
  ['"tag"', true],
  ['W/"tag"', true],
  ['"x", W/"tag" , "y"', true],
  ['*', true],
  ['tag', false],
])('If-None-Match: %s', (header, current) => expect(isCurrent(header, '"tag"')).toBe(current));

import { expect, test } from 'vitest';
import { etagOf, isCurrent } from '../../src/membership/etag.js';
import { pageOf } from '../../src/membership/page.js';

test('a tag changes with the versions of the groups, not with their order', () => {
  expect(etagOf(['v'])).toMatch(/^"[\w-]{27}"$/);
  expect(etagOf(['v'])).toBe(etagOf(['v']));
  const all = [etagOf([]), etagOf(['v']), etagOf(['w']), etagOf(['v', 'w'])];
  expect(new Set(all).size).toBe(all.length);
  expect(etagOf(['v', 'w'])).toBe(etagOf(['w', 'v']));
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

test.each([
  [undefined, 2, 'ab', 'b'],
  ['b', 2, 'cd', null],
  ['bb', 1, 'c', 'c'],
  ['d', 2, '', null],
  ['a', 9, 'bcd', null],
])('the page after %s, of %d', (after, limit, addresses, next) => {
  const all = ['a', 'b', 'c', 'd'].map((address) => ({ address }));
  const found = pageOf(all, { limit, ...(after !== undefined && { after: after as never }) });
  expect([found.page.map(({ address }) => address).join(''), found.next]).toEqual([addresses, next]);
});

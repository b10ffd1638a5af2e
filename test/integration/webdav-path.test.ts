import { expect, test } from 'vitest';
import { hrefOf, isWithin, pathOf } from '../../src/integration/webdav-path.js';

const ROOT = new URL('https://files.test/webdav/');

test.each([
  ['data.tar', ['data.tar']],
  ['lab/run%201/a%26b.txt', ['lab', 'run 1', 'a&b.txt']],
  ['https://files.test/webdav/lab/', ['lab']],
  ['/webdav/lab//x', ['lab', 'x']],
  ['/webdav/lab/../other', ['other']],
  ['%C3%A9t%C3%A9', ['été']],
])('%s is a path', (reference, path) => {
  expect(pathOf(reference, ROOT)).toEqual(path);
});

test.each([
  '../secret',
  '/webdav/../etc/passwd',
  '/webdav/%2e%2e/%2e%2e/etc',
  '/webdavx/data',
  'https://evil.test/webdav/data.tar',
  '//evil.test/webdav/data.tar',
  'file:///etc/passwd',
  'a%2Fb',
  'a%5Cb',
  'a%00b',
  'a%ff',
])('%s is not below the root', (reference) => {
  expect(() => pathOf(reference, ROOT)).toThrow('access.scope');
});

test('a file is opened as itself only, a folder with what is below', () => {
  expect(isWithin(['a'], ['a'], false)).toBe(true);
  expect(isWithin(['a', 'b'], ['a'], false)).toBe(false);
  expect(isWithin(['a', 'b'], ['a'], true)).toBe(true);
  expect(isWithin(['ab'], ['a'], true)).toBe(false);
  expect(isWithin([], ['a'], true)).toBe(false);
  expect(isWithin(['a'], [], true)).toBe(false);
});

test('what hrefOf writes pathOf reads', () => {
  const path = ['a b', '50%', 'ü&?#', "it's"];
  expect(pathOf(hrefOf(ROOT, path, true), ROOT)).toEqual(path);
  expect(hrefOf(ROOT, ['a b'], false)).toBe('/webdav/a%20b');
});

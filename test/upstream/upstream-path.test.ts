import { expect, test } from 'vitest';
import { upstreamPath, withQuery } from '../../src/upstream/upstream-path.js';

test.each([
  ['/ocm', '/ocm/shares', '/ocm/shares'],
  ['/index.php/ocm', '/ocm/shares?a=..&b=%2e%2e', '/index.php/ocm/shares?a=..&b=%2e%2e'],
  ['', '/ocm/shares', '/shares'],
  ['/x', '/ocm/a.b/..c/%20%2Fd/', '/x/a.b/..c/%20%2Fd/'],
  ['/x', '/ocm/', '/x/'],
])('below %j, %s is %s', (endPoint, url, path) => expect(upstreamPath(endPoint, url)).toBe(path));

test.each([
  '/ocm',
  '/ocmx/a',
  '/elsewhere',
  'http://evil.test/ocm/x',
  '/ocm/.',
  '/ocm/..',
  '/ocm/a/../b',
  '/ocm/%2e%2e/b',
  '/ocm/.%2E/b',
  '/ocm/%252e./b',
  '/ocm/%25252e%25252e/b',
  '/ocm/..%2fb',
  '/ocm/..%5cb',
  '/ocm/..\\b',
  '/ocm/..;x/b',
  '/ocm/..%3bx/b',
  '/ocm//b',
  '/ocm/%2fb',
  '/ocm/a#b',
])('%s is refused', (url) => expect(() => upstreamPath('/ocm', url)).toThrow('request.malformed'));

test('another place keeps its query, and has that of the request behind it', () => {
  expect(withQuery('/token', '/ocm/token')).toBe('/token');
  expect(withQuery('/token', '/ocm/token?a=1?b')).toBe('/token?a=1?b');
  expect(withQuery('/token?x', '/ocm/token?a=1')).toBe('/token?x&a=1');
});

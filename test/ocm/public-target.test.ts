import { expect, test } from 'vitest';
import { publicTarget } from '../../src/ocm/public-target.js';

const target = (host: string, url: string, publicUrl = 'https://a.test') => publicTarget(publicUrl, { host, url });

test('the target is built from our public URL, whatever the request came by', () => {
  expect(target('a.test', '/ocm/shares')).toBe('https://a.test/ocm/shares');
  expect(target('A.TEST:443', '/ocm/x?a=%20&b')).toBe('https://a.test/ocm/x?a=%20&b');
  expect(target('a.test:8443', '/', 'https://a.test:8443')).toBe('https://a.test:8443/');
  expect(target('a.test', '/ocm/x', 'https://a.test/behind')).toBe('https://a.test/behind/ocm/x');
});

test.each([
  ['b.test', '/'],
  ['a.test:8443', '/'],
  ['', '/'],
  ['a.test@b.test', '/'],
  ['b.test@a.test', '/'],
  ['a.test', 'http://a.test/'],
  ['a.test', '*'],
])('%s %s is misdirected', (host, url) => {
  expect(() => target(host, url)).toThrow('request.misdirected');
});

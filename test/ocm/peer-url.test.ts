import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { originOf, peerUrl } from '../../src/ocm/peer-url.js';

test('a server is found by https, on one machine by http', () => {
  expect(originOf(host('a.example.org:8443'), 'public-only')).toBe('https://a.example.org:8443');
  expect(originOf(host('a.localhost:8401'), 'loopback-development')).toBe('http://a.localhost:8401');
});

test.each([
  'http://a.example.org/',
  'ftp://a.example.org/',
  'file:///etc/passwd',
  '/ocm/jwks',
  'https://user:pass@a.example.org/',
  'https://a.example.org/#x',
  'https://127.0.0.1/',
  'https://2130706433/',
  'https://[::ffff:127.0.0.1]/',
  'https://10.0.0.1/',
  'https://localhost/',
  'https://a.localhost:8401/',
  `https://a.example.org/${'x'.repeat(3000)}`,
])('%s is not asked', (url) => {
  expect(() => peerUrl(url, 'public-only')).toThrow('peer.url-refused');
});

test('among the servers of one machine', () => {
  expect(peerUrl('http://a.localhost:8401/ocm', 'loopback-development').host).toBe('a.localhost:8401');
  expect(peerUrl('http://127.0.0.1:8401/ocm', 'loopback-development').port).toBe('8401');
  expect(() => peerUrl('http://10.0.0.1/', 'loopback-development')).toThrow('peer.url-refused');
});

test('a public server may name another host', () => {
  expect(peerUrl('https://keys.example.net/jwks?of=a', 'public-only').href).toBe('https://keys.example.net/jwks?of=a');
});

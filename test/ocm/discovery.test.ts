import { expect, test } from 'vitest';
import {
  accepts,
  demandsTokenExchange,
  discoveryDocument,
  exchangesTokens,
  federates,
  parseDiscovery,
} from '../../src/ocm/discovery.js';
import { golden } from './golden.js';

const example = golden('discovery') as Record<string, unknown>;
const own = parseDiscovery(example, 'public-only');
const parsed = (changes: object) => parseDiscovery({ ...example, ...changes }, 'public-only');

test('R-030 R-033 our document is the golden one', () => {
  const made = discoveryDocument({ endPoint: 'https://cloud.example.org/ocm', provider: 'Example Cloud' });
  expect(made).toEqual(example);
});

test('R-031 nothing but endPoint tells where federated groups are served', () => {
  const known = [
    'enabled',
    'apiVersion',
    'endPoint',
    'provider',
    'resourceTypes',
    'capabilities',
    'criteria',
    'jwksUri',
    'tokenEndPoint',
  ];
  expect(Object.keys(discoveryDocument({ endPoint: 'https://c.example.org/ocm', provider: 'C' })).sort()).toEqual(
    known.sort(),
  );
});

test('what is read back is what we look at', () => {
  expect(own).toEqual({ ...example, provider: undefined });
  expect(federates(own)).toBe(true);
  expect(exchangesTokens(own)).toBe(true);
  expect(demandsTokenExchange(own)).toBe(false);
});

test('what the server takes', () => {
  expect(accepts(own, 'file', 'federation', 'webdav')).toBe(true);
  expect(accepts(own, 'folder', 'federation', 'webdav')).toBe(true);
  expect(accepts(own, 'file', 'group', 'webdav')).toBe(false);
  expect(accepts(own, 'file', 'federation', 'ssh')).toBe(false);
  expect(accepts(own, 'calendar', 'federation', 'webdav')).toBe(false);
});

test('files for users by WebDAV may be assumed, of a server that is switched on', () => {
  expect(accepts(parsed({ resourceTypes: [] }), 'file', 'user', 'webdav')).toBe(true);
  expect(accepts(parsed({ enabled: false }), 'file', 'user', 'webdav')).toBe(false);
});

test('a server that lists federation takes notifications, though it does not list them', () => {
  expect(federates(parsed({ capabilities: ['http-sig'] }))).toBe(true);
  expect(federates(parsed({ enabled: false }))).toBe(false);
  expect(federates(parsed({ resourceTypes: [{ name: 'file', shareTypes: ['user'], protocols: {} }] }))).toBe(false);
});

test('a server may ask for the code flow', () => {
  expect(demandsTokenExchange(parsed({ criteria: ['must-exchange-token'] }))).toBe(true);
  expect(exchangesTokens(parsed({ tokenEndPoint: undefined }))).toBe(false);
});

test('what may be absent may be absent, and a slash at the end goes', () => {
  const least = { enabled: true, apiVersion: '1.5.0', endPoint: 'https://a.example.org/ocm/', resourceTypes: [] };
  expect(parseDiscovery(least, 'public-only')).toEqual({
    ...least,
    endPoint: 'https://a.example.org/ocm',
    capabilities: [],
    criteria: [],
  });
});

test.each([
  ['no object', 5],
  ['no endPoint', { ...example, endPoint: undefined }],
  ['R-214 an endPoint by http', { ...example, endPoint: 'http://cloud.example.org/ocm' }],
  ['an endPoint with a query', { ...example, endPoint: 'https://cloud.example.org/ocm?a' }],
  ['an endPoint on a private address', { ...example, endPoint: 'https://192.168.0.1/ocm' }],
  ['a jwksUri on this machine', { ...example, jwksUri: 'https://localhost/jwks' }],
  [
    'resource types that repeat',
    {
      ...example,
      resourceTypes: [...(example['resourceTypes'] as []), { name: 'file', shareTypes: [], protocols: {} }],
    },
  ],
  ['too many capabilities', { ...example, capabilities: Array.from({ length: 101 }, () => 'x') }],
])('%s cannot be used', (_, document) => {
  expect(() => parseDiscovery(document, 'public-only')).toThrow('peer.discovery-malformed');
});

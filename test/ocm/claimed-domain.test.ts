import { expect, test } from 'vitest';
import { claimedDomain, domainOfKeyId } from '../../src/ocm/claimed-domain.js';

test('each source names the server in its way', () => {
  expect(claimedDomain('senderDomain', { senderDomain: 'A.test:8443' }, 'k')).toBe('a.test:8443');
  expect(claimedDomain('sender', { sender: 'x@y@A.test' }, 'k')).toBe('a.test');
  expect(claimedDomain('client_id', { client_id: 'a.test' }, 'k')).toBe('a.test');
  expect(claimedDomain('keyid', undefined, 'a.test:8443#k')).toBe('a.test:8443');
});

test.each([
  ['senderDomain', {}],
  ['senderDomain', { senderDomain: 'a b' }],
  ['sender', { sender: 'a.test' }],
  ['client_id', undefined],
  ['client_id', { client_id: ['a.test', 'b.test'] }],
] as const)('%s: %j names none', (source, body) => {
  expect(() => claimedDomain(source, body, 'a.test#k')).toThrow('body.malformed');
});

test.each(['', '#', '#k', 'a.test', 'a.test#', 'a b#k', 'https://a.test#k'])(
  'the key id %j names no server',
  (keyId) => {
    expect(domainOfKeyId(keyId)).toBeUndefined();
    expect(() => claimedDomain('keyid', undefined, keyId)).toThrow('signature.wrong-domain');
  },
);

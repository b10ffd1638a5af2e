import { describe, expect, test } from 'vitest';
import { host, hostOf, identifierOf, ocmAddress } from '../../src/kernel/address.js';

describe('an OCM Address', () => {
  test('is split on the last "@": the identifier may hold one itself', () => {
    const address = ocmAddress('a.b@example.org@Cloud.Example.org:8443');
    expect(address).toBe('a.b@example.org@cloud.example.org:8443');
    expect(hostOf(address)).toBe('cloud.example.org:8443');
    expect(identifierOf(address)).toBe('a.b@example.org');
  });

  test('keeps the case of the identifier and folds that of the host', () => {
    expect(ocmAddress('Álice@EXAMPLE.org')).toBe('Álice@example.org');
  });

  test.each([
    '',
    '@',
    'alice',
    'alice@',
    '@example.org',
    'alice@exam ple.org',
    'alice@example.org/path',
    'alice@-a.org',
    'alice@example.org:0',
    'alice@example.org:65536',
    'alice@example.org:08',
    'a\nb@example.org',
    '\ud800@example.org',
    `${'a'.repeat(600)}@example.org`,
    'alice@example..org',
    'alice@[::1',
    'alice@example.org:',
  ])('refuses %j', (text) => {
    expect(() => ocmAddress(text)).toThrow('address.malformed');
  });

  test('may name an IPv6 literal or a port', () => {
    expect(host('[2001:DB8::1]:443')).toBe('[2001:db8::1]:443');
    expect(host('localhost:8400')).toBe('localhost:8400');
    expect(() => host('example.org/')).toThrow('host.malformed');
  });
});

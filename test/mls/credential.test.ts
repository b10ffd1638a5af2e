import { expect, test } from 'vitest';
import { ocmAddress } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { addressOf, credentialOf } from '../../src/mls/credential.js';

test('R-010 a credential is basic and its identity is the OCM Address in UTF-8', () => {
  const credential = credentialOf(ocmAddress('zoë@cloud.example.org'));
  expect(credential).toEqual({ credentialType: 'basic', identity: utf8('zoë@cloud.example.org') });
  expect(addressOf(credential)).toBe('zoë@cloud.example.org');
});

test('the host of an address is compared without regard to case', () => {
  expect(addressOf({ credentialType: 'basic', identity: utf8('Alice@Cloud.Example.ORG') })).toBe(
    'Alice@cloud.example.org',
  );
});

test.each([
  ['no host', utf8('alice')],
  ['no identifier', utf8('@cloud.example.org')],
  ['nothing', utf8('')],
  ['no UTF-8', Uint8Array.of(0xff, 0x40, 0x61)],
  ['a line break', utf8('ali\nce@cloud.example.org')],
])('R-010 an identity with %s names nobody', (_, identity) => {
  expect(addressOf({ credentialType: 'basic', identity })).toBeUndefined();
});

test('R-010 a credential that is not basic names nobody', () => {
  expect(addressOf({ credentialType: 'x509', certificates: [utf8('alice@cloud.example.org')] })).toBeUndefined();
});

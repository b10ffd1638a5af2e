import { expect, test } from 'vitest';
import { CIPHERS } from '../../src/content/cipher.js';
import { encryptionBody, parseEncryption } from '../../src/ocm/share-encryption.js';

const mls = (parameters: object) => ({ resourceId: 'r-1', scheme: 'ocm-mls', 'ocm-mls': parameters });

test.each(CIPHERS)('ocm-mls carries resourceId, scheme and the cipher %s, and nothing of epochs', (cipher) => {
  const body = mls({ cipher, epoch: 7 });
  expect(parseEncryption(body)).toEqual({ scheme: 'ocm-mls', resourceId: 'r-1', cipher });
  expect(encryptionBody({ scheme: 'ocm-mls', resourceId: 'r-1', cipher })).toEqual(mls({ cipher }));
});

test.each([
  mls({ cipher: 'AES-512-GCM' }),
  mls({}),
  { scheme: 'ocm-mls', 'ocm-mls': { cipher: 'AES-128-GCM' } },
  { resourceId: 'r', scheme: 'ocm-mls' },
])('%j is refused', (body) => {
  expect(() => parseEncryption(body)).toThrow('body.malformed');
});

test('ocm-pgp is read under both of its names', () => {
  const parameters = { fingerprints: ['0123456789ABCDEF'] };
  const read = { scheme: 'ocm-pgp', resourceId: 'r-1', ...parameters };
  expect(parseEncryption({ resourceId: 'r-1', scheme: 'ocm-pgp', 'ocm-pgp': parameters })).toEqual(read);
  expect(parseEncryption({ resourceId: 'r-1', scheme: 'ocm-gpg', 'ocm-gpg': parameters })).toEqual(read);
  expect(encryptionBody(read as never)).toEqual({ resourceId: 'r-1', scheme: 'ocm-pgp', 'ocm-pgp': parameters });
});

test('R-226 a scheme that is not registered is refused, the old name of ocm-mls too', () => {
  for (const scheme of ['rot13', 'ocm-mls-1']) {
    expect(() => parseEncryption({ resourceId: 'r', scheme, [scheme]: {} })).toThrow('share.encryption-unsupported');
  }
});

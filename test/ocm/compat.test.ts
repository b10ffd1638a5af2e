import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { hostOfOldKeyId, modernBody, modernDiscovery, oldJwksUri } from '../../src/ocm/compat.js';
import { accepts, demandsTokenExchange, parseDiscovery } from '../../src/ocm/discovery.js';
import { parseNotification } from '../../src/ocm/notification.js';
import { parseShareNotice } from '../../src/ocm/share-notice.js';
import { golden } from './golden.js';

const from = host('cloud.example.org');

const NEW = [
  'mls-welcome',
  'mls-proposal',
  'mls-commit',
  'mls-application',
  'mls-rejoin',
  'share-accepted',
  'share',
  'share-encrypted',
];
test.each(NEW)('%s, which is new already, passes unchanged', (name) => {
  expect(modernBody(golden(name), from)).toEqual(golden(name));
});

test('the flat notification of OCM-MLS -01 is read as the new one', () => {
  const { federation } = (golden('mls-commit') as { notification: { federation: object } }).notification;
  const old = { notificationType: 'MLS_COMMIT', notification: federation };
  expect(() => parseNotification(old)).toThrow('body.malformed');
  expect(modernBody(old, from)).toEqual(golden('mls-commit'));
});

test('the share notification of OCM 1.4 is read as the new one', () => {
  const old = {
    notificationType: 'SHARE_UNSHARED',
    resourceType: 'file',
    providerId: 'p-1',
    notification: { sharedSecret: 'x' },
  };
  expect(parseNotification(modernBody(old, from))).toEqual({
    notificationType: 'SHARE_UNSHARED',
    senderDomain: 'cloud.example.org',
    resourceType: 'file',
    providerId: 'p-1',
  });
});

test('old names in a share: the encryption scheme, a requirement, datatx', () => {
  const share = golden('share') as { protocol: { webdav: object } };
  const old = {
    ...share,
    protocol: {
      name: 'multi',
      webdav: { ...share.protocol.webdav, requirements: ['mfa-enforced'] },
      datatx: { size: 1 },
    },
    encryption: { scheme: 'ocm-mls-1', cipher: 'AES-128-GCM', resourceId: 'r-1' },
  };
  expect(() => parseShareNotice(old)).toThrow('share.encryption-unsupported');
  expect(parseShareNotice(modernBody(old, from))).toMatchObject({
    encryption: { scheme: 'ocm-mls', cipher: 'AES-128-GCM', resourceId: 'r-1' },
    webdav: { requirements: ['must-use-mfa'], accessTypes: ['remote', 'datatx'] },
  });
});

test('old names in discovery', () => {
  const old = {
    ...(golden('discovery') as object),
    resourceTypes: [{ name: 'file', shareTypes: ['user', 'federation'], protocols: { webdav: '/dav/' } }],
    capabilities: ['webdav-uri'],
    criteria: ['token-exchange', 'http-request-signatures', 'invite', 'denylist'],
  };
  const before = parseDiscovery(old, 'public-only');
  expect([accepts(before, 'file', 'federation', 'webdav'), demandsTokenExchange(before)]).toEqual([false, false]);
  const after = parseDiscovery(modernDiscovery(old), 'public-only');
  expect([accepts(after, 'file', 'federation', 'webdav'), demandsTokenExchange(after)]).toEqual([true, true]);
  expect(after.criteria).toEqual(['must-exchange-token', 'must-use-http-sig', 'must-invite', 'denylist']);
});

test.each([[null], [5], [[]], ['x'], [{}]])('%j passes unchanged', (body) => {
  expect(modernBody(body, from)).toEqual(body);
  expect(modernDiscovery(body)).toEqual(body);
});

test('old key ids and the old place of keys', () => {
  expect(hostOfOldKeyId('https://cloud.example.org/ocm#signature')).toBe('cloud.example.org');
  expect(hostOfOldKeyId('cloud.example.org#key1')).toBeUndefined();
  expect(hostOfOldKeyId('urn:x')).toBeUndefined();
  expect(oldJwksUri('https://cloud.example.org')).toBe('https://cloud.example.org/.well-known/jwks.json');
});

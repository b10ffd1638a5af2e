import { expect, test } from 'vitest';
import { ocmAddress } from '../../src/kernel/address.js';
import type { ShareNotice } from '../../src/ocm/share-notice.js';
import { digestOf, resourceOf } from '../../src/shares/received-share.js';

const NOTICE: ShareNotice = {
  shareWith: ocmAddress('lab@a.test'),
  shareType: 'federation',
  resourceType: 'file',
  name: 'data.tar',
  providerId: 'p-1',
  owner: ocmAddress('alice@a.test'),
  sender: ocmAddress('alice@a.test'),
  webdav: {
    uri: 'data.tar',
    sharedSecret: 'tell-nobody',
    accessTypes: ['remote'],
    permissions: ['read'],
    requirements: ['must-exchange-token'],
    size: 7,
  },
};

test('what is kept of a notice in the open has no secret', () => {
  expect(resourceOf({ ...NOTICE, description: 'all runs' })).toEqual({
    type: 'file',
    name: 'data.tar',
    description: 'all runs',
    uri: 'data.tar',
    accessTypes: ['remote'],
    permissions: ['read'],
    requirements: ['must-exchange-token'],
    size: 7,
  });
});

test('a notice is the same however its members are ordered, and another one when anything in it changed', () => {
  const { webdav, ...rest } = NOTICE;
  expect(digestOf({ webdav: { ...webdav }, ...rest })).toBe(digestOf(NOTICE));
  const changes: Partial<ShareNotice>[] = [
    { name: 'other' },
    { expiration: 1 },
    { webdav: { ...webdav, sharedSecret: 'other' } },
    { webdav: { ...webdav, permissions: ['read', 'write'] } },
    { shareWith: ocmAddress('all@a.test') },
  ];
  for (const change of changes) expect(digestOf({ ...NOTICE, ...change })).not.toBe(digestOf(NOTICE));
});

import { expect, test } from 'vitest';
import { Fault } from '../../src/kernel/fault.js';
import { parseShareNotice, shareNotice } from '../../src/ocm/share-notice.js';
import { golden } from './golden.js';

const share = golden('share') as Record<string, unknown>;
const codeOf = (body: unknown): string => {
  try {
    parseShareNotice(body);
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
  return 'taken';
};

test.each(['share', 'share-encrypted'])('%s is read and written as the golden body', (name) => {
  expect(shareNotice(parseShareNotice(golden(name)))).toEqual(golden(name));
});

test('what is read is in our words', () => {
  expect(parseShareNotice(share)).toMatchObject({
    shareWith: 'research-group@receiver.example.org',
    webdav: { uri: 'experiment-data.tar', accessTypes: ['remote'], permissions: ['read', 'write'], requirements: [] },
  });
});

test.each(['shareWith', 'resourceType', 'shareType', 'sender', 'owner', 'providerId', 'name', 'protocol'])(
  'R-203 a federation share without %s is refused, since core requires it',
  (field) => {
    expect(codeOf({ ...share, [field]: undefined })).toBe('body.malformed');
  },
);

test('R-226 other share types and resource types than the registered ones are not taken here', () => {
  expect(codeOf({ ...share, shareType: 'user' })).toBe('share.type-unsupported');
  expect(codeOf({ ...share, resourceType: 'calendar' })).toBe('share.type-unsupported');
});

test('encryption may be absent, and then the share is not encrypted', () => {
  expect(parseShareNotice(share).encryption).toBeUndefined();
  expect(shareNotice(parseShareNotice(share))).not.toHaveProperty('encryption');
});

test.each([
  ['shareWith', 'no address'],
  ['sender', 'alice'],
  ['name', ''],
  ['name', 'a\u0000b'],
  ['providerId', 5],
  ['expiration', '1830000000'],
  ['expiration', 1.5],
  ['expiration', -1],
  ['encryption', 'ocm-mls'],
  ['protocol', []],
])('%s: %j is refused', (field, value) => {
  expect(codeOf({ ...share, [field]: value })).toBe('body.malformed');
});

test('issues of a part are named from the top', () => {
  const body = { ...share, protocol: { name: 'multi', webdav: { uri: 'x' } } };
  expect(() => parseShareNotice(body)).toThrow(
    expect.objectContaining({
      facts: { errors: [{ path: 'protocol.webdav.sharedSecret', message: 'REQUIRED' }] },
    }),
  );
});

test('no error repeats the secret', () => {
  const body = {
    ...share,
    protocol: { name: 'multi', webdav: { uri: 5, sharedSecret: 'hush-hush', requirements: ['x'] } },
  };
  try {
    parseShareNotice(body);
  } catch (error) {
    expect(JSON.stringify([error, (error as Fault).facts, String((error as Fault).cause)])).not.toContain('hush');
  }
  expect.assertions(1);
});

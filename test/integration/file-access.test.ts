import { expect, test } from 'vitest';
import type { Access } from '../../src/integration/access-verifier.js';
import { bearerToken, judgeFileAccess } from '../../src/integration/file-access.js';
import { ocmAddress } from '../../src/kernel/address.js';

const ROOT = new URL('https://files.test/webdav/');
const WEBDAV = { uri: 'lab', permissions: ['read'] };
const access = (webdav: object = WEBDAV, more: object = {}) =>
  ({
    audience: ocmAddress('bob@b.test'),
    groups: [],
    share: { providerId: 'x', resourceType: 'folder', protocol: { webdav } },
    ...more,
  }) as unknown as Access;

test('I-054 what is below the resource is opened, with the permissions that were given', () => {
  const opened = judgeFileAccess(access(), '/webdav/lab/data.csv', ROOT);
  expect(opened).toMatchObject({ path: ['lab', 'data.csv'], bearer: { recipient: 'b.test', members: ['bob@b.test'] } });
  const writable = access({ ...WEBDAV, permissions: ['read', 'write'] });
  expect(judgeFileAccess(writable, '/webdav/lab', ROOT, { permission: 'write' }).path).toEqual(['lab']);
});

test.each<[string, Access, string, object?]>([
  ['outside of it', access(), '/webdav/other'],
  ['for writing', access(), '/webdav/lab', { permission: 'write' }],
  ['for reading what is for writing', access({ ...WEBDAV, permissions: ['write'] }), '/webdav/lab'],
  ['of another protocol', access(undefined, { share: { protocol: { ssh: {} } } }), '/webdav/lab'],
  [
    'under a requirement that nobody here knows',
    access({ ...WEBDAV, requirements: ['must-be-monday'] }),
    '/webdav/lab',
  ],
  ['for a group, by a share with a person', access(), '/webdav/lab', { groups: ['lab@a.test'] }],
])('I-054 nothing is opened %s', (_, given, reference, policy) => {
  expect(() => judgeFileAccess(given, reference, ROOT, policy)).toThrow('access.scope');
});

test('I-054 requirements that the receiving server keeps hold up nothing', () => {
  const given = access({ ...WEBDAV, requirements: ['must-exchange-token', 'must-use-mfa'] });
  expect(judgeFileAccess(given, '/webdav/lab', ROOT).path).toEqual(['lab']);
});

test('I-053 I-057 a credential stands in the Authorization header, as a Bearer token, and nowhere else', () => {
  expect(bearerToken('Bearer abc')).toBe('abc');
  for (const other of ['Basic YWJjOg==', 'Digest abc', 'abc', 'Bearer a b', 'Bearer', undefined]) {
    expect(bearerToken(other)).toBeUndefined();
  }
});

test('I-057 a token that somebody put into a URL is not in the fault', () => {
  try {
    judgeFileAccess(access(), 'https://elsewhere.test/webdav/lab?access_token=abc', ROOT);
    expect.unreachable();
  } catch (error) {
    expect(JSON.stringify(error)).not.toContain('abc');
  }
});

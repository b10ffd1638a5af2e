import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { isResourceUri, isSafeUri, ownWebdavRoot, resourceUrl, webdavRoot } from '../../src/shares/webdav-root.js';
import { documentOf } from './shared-resource.js';

test('our own tree lies under the domain, whatever path the service has', () => {
  expect(ownWebdavRoot('https://covey.a.test/x', host('a.test'))).toBe('https://a.test/webdav/');
  expect(ownWebdavRoot('http://localhost:8400', host('localhost:8400'))).toBe('http://localhost:8400/webdav/');
});

test('the tree of another server lies at its host, under the prefix of the type', () => {
  const document = documentOf('b.test');
  expect(webdavRoot(host('b.test'), document, 'file')).toBe('https://b.test/webdav/');
  const type = (name: string, webdav: unknown) => ({ name, shareTypes: [], protocols: { webdav } });
  const two = { ...document, resourceTypes: [type('file', '/files'), type('folder', '/folders/')] };
  expect(webdavRoot(host('b.test'), two, 'folder')).toBe('https://b.test/folders/');
  expect(webdavRoot(host('b.test'), two, 'other')).toBe('https://b.test/files/');
  const odd = { ...document, resourceTypes: [type('file', { no: 'path' })] };
  expect(webdavRoot(host('b.test'), odd, 'file')).toBe('https://b.test/');
  const hostile = { ...document, resourceTypes: [type('file', '//evil.test/')] };
  expect(new URL(webdavRoot(host('b.test'), hostile, 'file')).host).toBe('b.test');
});

test('a URI is taken from there or as it is', () => {
  expect(resourceUrl('data.tar', 'https://b.test/webdav/')).toBe('https://b.test/webdav/data.tar');
  expect(resourceUrl('', 'https://b.test/webdav/')).toBe('https://b.test/webdav/');
  expect(resourceUrl('https://files.test/x', 'https://b.test/webdav/')).toBe('https://files.test/x');
});

test.each([
  'data.tar',
  'lab/run%201/data.tar',
  'lab/',
  'https://files.test/webdav/data.tar',
  'http://127.0.0.1:8080/data.tar',
  'http://alpha.localhost:8080/data.tar',
])('%s names a resource', (uri) => expect(isResourceUri(uri)).toBe(true));

test.each([
  '',
  '/webdav/data.tar',
  '../data.tar',
  'a/../../data.tar',
  '.',
  'data.tar?x',
  'data.tar#x',
  'a\\b',
  'a%2fb',
  'a%zz',
  'http://files.test/data.tar',
  'https://alice:secret@files.test/data.tar',
  'file:///etc/passwd',
  'javascript:alert(1)',
  '//evil.test/data.tar',
])('%s does not', (uri) => expect(isResourceUri(uri)).toBe(false));

test('what another server names is handed on only when it can be followed safely', () => {
  for (const uri of ['', 'data.tar', '/dav/x?y', 'https://files.test/x', 'http://localhost:1/x']) {
    expect([uri, isSafeUri(uri)]).toEqual([uri, true]);
  }
  for (const uri of ['http://files.test/x', 'file:///etc/passwd', 'javascript:alert(1)', 'https://a:b@files.test/']) {
    expect([uri, isSafeUri(uri)]).toEqual([uri, false]);
  }
});

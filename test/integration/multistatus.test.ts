import { expect, test } from 'vitest';
import { type DavEntry, escaped, multistatus } from '../../src/integration/multistatus.js';

const FILE: DavEntry = {
  href: '/webdav/a%26b.txt',
  name: 'a&b.txt',
  folder: false,
  size: 3,
  modified: new Date('2026-09-01T12:00:00Z'),
  etag: '"3-1"',
  type: 'text/plain',
};

test('a file with all its properties', () => {
  expect(multistatus([FILE], { kind: 'all' })).toBe(
    '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:"><D:response><D:href>/webdav/a%26b.txt</D:href>' +
      '<D:propstat><D:prop><D:displayname>a&amp;b.txt</D:displayname><D:resourcetype/>' +
      '<D:getcontentlength>3</D:getcontentlength><D:getcontenttype>text/plain</D:getcontenttype>' +
      '<D:getlastmodified>Tue, 01 Sep 2026 12:00:00 GMT</D:getlastmodified><D:getetag>&quot;3-1&quot;</D:getetag>' +
      '</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>\n',
  );
});

test('a folder has no length, no type and no tag', () => {
  const text = multistatus([{ ...FILE, folder: true }], { kind: 'all' });
  expect(text).toContain('<D:resourcetype><D:collection/></D:resourcetype>');
  expect(text).not.toMatch(/getcontentlength|getcontenttype|getetag/);
});

test('what is not there is told as 404, in its own namespace', () => {
  const names = [
    { space: 'DAV:', local: 'getetag' },
    { space: 'http://owncloud.org/ns', local: 'id' },
    { space: '', local: 'bare' },
    { space: 'DAV:', local: 'constructor' },
  ];
  const text = multistatus([FILE], { kind: 'some', names });
  expect(text).toContain('<D:prop><D:getetag>&quot;3-1&quot;</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status>');
  expect(text).toContain(
    '<D:prop><p:id xmlns:p="http://owncloud.org/ns"/><bare xmlns=""/><p:constructor xmlns:p="DAV:"/></D:prop>' +
      '<D:status>HTTP/1.1 404 Not Found</D:status>',
  );
});

test('names only', () => {
  expect(multistatus([FILE], { kind: 'names' })).toContain('<D:displayname/><D:resourcetype/><D:getcontentlength/>');
});

test('text that XML cannot carry is replaced, markup is escaped', () => {
  expect(escaped(`<a href="x">'&'\u0001\ud800\r</a>`)).toBe(
    '&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;\ufffd\ufffd&#13;&lt;/a&gt;',
  );
});

import { expect, test } from 'vitest';
import { readPropfind } from '../../src/integration/propfind.js';

const HEAD = '<?xml version="1.0" encoding="utf-8" ?>\n';

test.each([
  ['', 'all'],
  ['  \n', 'all'],
  [`${HEAD}<propfind xmlns="DAV:"><allprop/></propfind>`, 'all'],
  [`${HEAD}<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>`, 'names'],
])('%j asks for %s', (body, kind) => {
  expect(readPropfind(body)).toEqual({ kind });
});

test('the properties that are asked for, with their namespaces', () => {
  const body = `${HEAD}<d:propfind xmlns:d='DAV:' xmlns:oc="http://owncloud.org/ns">
    <d:prop><d:getetag/><oc:id></oc:id><bare/><x xmlns="urn:x"/></d:prop></d:propfind>`;
  expect(readPropfind(body)).toEqual({
    kind: 'some',
    names: [
      { space: 'DAV:', local: 'getetag' },
      { space: 'http://owncloud.org/ns', local: 'id' },
      { space: '', local: 'bare' },
      { space: 'urn:x', local: 'x' },
    ],
  });
});

test.each([
  'propfind',
  '<propfind/>',
  '<a xmlns="DAV:"><allprop/></a>',
  '<propfind xmlns="DAV:"><allprop></propfind>',
  '<propfind xmlns="DAV:"><allprop/>',
  '<propfind xmlns="DAV:"/><propfind xmlns="DAV:"/>',
  '<D:propfind><D:allprop/></D:propfind>',
  '<!DOCTYPE x [<!ENTITY a "b">]><propfind xmlns="DAV:"><allprop/></propfind>',
  '<propfind xmlns="DAV:"><![CDATA[x]]><allprop/></propfind>',
  `<propfind xmlns="DAV:"><prop>${'<x/>'.repeat(600)}</prop></propfind>`,
  `${'<a>'.repeat(600)}`,
])('%j is refused', (body) => {
  expect(() => readPropfind(body)).toThrow('body.malformed');
});

test('a hostile body is read in no time', () => {
  const body = `<propfind ${'a="" '.repeat(3000)}`;
  const before = performance.now();
  expect(() => readPropfind(body)).toThrow('body.malformed');
  expect(performance.now() - before).toBeLessThan(200);
});

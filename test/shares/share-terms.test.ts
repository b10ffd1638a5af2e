import { expect, test } from 'vitest';
import type { Discovery } from '../../src/ocm/discovery.js';
import { shareTerms } from '../../src/shares/share-terms.js';
import { documentOf, RESOURCE } from './shared-resource.js';

const ROOT = 'https://a.test/webdav/';
const ours = documentOf('b.test');

const receiving = (receive: object, change: Partial<Discovery> = {}): Discovery => ({
  ...ours,
  resourceTypes: [
    { name: 'file', shareTypes: ['user', 'federation'], protocols: { webdav: '/', 'webdav-receive': receive } },
  ],
  ...change,
});
const relative = { ...RESOURCE, uri: 'data/run%201.tar' };
const absolute = { ...RESOURCE, uri: `${ROOT}data.tar` };
const elsewhere = { ...RESOURCE, uri: 'https://files.test/data.tar' };

test('R-206 a server that exchanges tokens must, one that cannot gets the share without that requirement', () => {
  expect(shareTerms(ours, RESOURCE, ROOT)).toEqual({
    kind: 'send',
    uri: RESOURCE.uri,
    requirements: ['must-exchange-token'],
  });
  const cannot = { ...ours, capabilities: ['notifications'] };
  expect(shareTerms(cannot, RESOURCE, ROOT)).toMatchObject({ kind: 'send', requirements: [] });
});

test('R-206 a server that demands the token exchange of every share gets it demanded of itself', () => {
  const demanding = { ...ours, criteria: ['must-exchange-token'] };
  expect(shareTerms(demanding, RESOURCE, ROOT)).toMatchObject({ requirements: ['must-exchange-token'] });
  const demandingOnly = { ...demanding, capabilities: [] };
  expect(shareTerms(demandingOnly, RESOURCE, ROOT)).toMatchObject({ requirements: ['must-exchange-token'] });
});

test('a server that lists no federation gets nothing', () => {
  const plain = { ...ours, resourceTypes: ours.resourceTypes.map((type) => ({ ...type, shareTypes: ['user'] })) };
  expect(shareTerms(plain, RESOURCE, ROOT)).toEqual({ kind: 'unsupported', why: 'federation' });
  expect(shareTerms({ ...ours, enabled: false }, RESOURCE, ROOT)).toMatchObject({ why: 'federation' });
});

test('a server that takes files only gets no folder, and one that cannot receive by WebDAV gets nothing', () => {
  const folder = { ...RESOURCE, type: 'folder' as const };
  expect(shareTerms(receiving({}), folder, ROOT)).toEqual({ kind: 'unsupported', why: 'resource-type' });
  const sender = { name: 'file', shareTypes: ['user', 'federation'], protocols: { webdav: '/' } };
  expect(shareTerms({ ...ours, resourceTypes: [sender] }, RESOURCE, ROOT)).toMatchObject({ why: 'resource-type' });
});

test.each([
  ['absolute', relative, `${ROOT}data/run%201.tar`],
  ['absolute', elsewhere, elsewhere.uri],
  ['relative', relative, relative.uri],
  ['relative', absolute, 'data.tar'],
  [undefined, relative, relative.uri],
  [undefined, elsewhere, elsewhere.uri],
])('the URI is written in the form that the server takes: %s', (uri, resource, written) => {
  const peer = receiving(uri === undefined ? {} : { uri });
  expect(shareTerms(peer, resource, ROOT)).toMatchObject({ kind: 'send', uri: written });
});

test('what lies elsewhere has no relative form', () => {
  const peer = receiving({ uri: 'relative' });
  expect(shareTerms(peer, elsewhere, ROOT)).toEqual({ kind: 'unsupported', why: 'uri-form' });
});

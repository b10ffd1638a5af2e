import { expect, test } from 'vitest';
import { discoveryDocument, parseDiscovery } from '../../src/ocm/discovery.js';
import { jointDiscovery, jointJwkSet, readPlatform } from '../../src/upstream/joint-documents.js';
import { PLATFORM_DOCUMENT } from './stand-in.js';

const own = discoveryDocument({ endPoint: 'https://b.test/ocm', provider: 'Covey' });
const HOSTS = ['b.test', '10.0.0.5'];
const platform = (change: object = {}) => readPlatform({ ...PLATFORM_DOCUMENT, ...change }, HOSTS);

test('the document of the platform stays, with what we add', () => {
  expect(jointDiscovery(own, platform())).toEqual({
    ...PLATFORM_DOCUMENT,
    endPoint: 'https://b.test/ocm',
    resourceTypes: [
      {
        name: 'file',
        shareTypes: ['user', 'group', 'federation'],
        protocols: { webdav: '/public.php/webdav/', 'webdav-receive': { uri: 'absolute' } },
      },
      { name: 'folder', shareTypes: ['federation'], protocols: own.resourceTypes[1]!.protocols },
    ],
    capabilities: ['/invite-accepted', 'http-sig', 'exchange-token', 'notifications', 'protocol-object'],
    tokenEndPoint: 'https://b.test/ocm/token',
    jwksUri: 'https://b.test/ocm/jwks',
  });
});

test('other servers can read it, and see that federated groups are served', () => {
  const read = parseDiscovery(jointDiscovery(own, platform()), 'public-only');
  expect(read.resourceTypes[0]!.shareTypes).toContain('federation');
});

test('what the platform says of a protocol counts, and its own types and fields stay', () => {
  const calendar = { name: 'calendar', shareTypes: ['user'], protocols: {}, extra: 1 };
  const file = {
    name: 'file',
    shareTypes: ['federation'],
    protocols: { 'webdav-receive': { uri: 'relative' } },
    more: 2,
  };
  const { resourceTypes } = jointDiscovery(own, platform({ resourceTypes: [calendar, file] })) as typeof own;
  expect(resourceTypes.slice(0, 2)).toEqual([
    calendar,
    { ...file, protocols: { webdav: '/webdav/', 'webdav-receive': { uri: 'relative' } } },
  ]);
});

test('our criteria are not laid upon what is sent to the platform; its own stay', () => {
  expect(jointDiscovery(own, platform())).not.toHaveProperty('criteria');
  expect(jointDiscovery(own, platform({ criteria: ['denylist'] }))).toMatchObject({ criteria: ['denylist'] });
});

test('a platform that names no provider has our name, and one that is switched off says nothing', () => {
  expect(jointDiscovery(own, platform({ provider: undefined, enabled: true }))).toHaveProperty('provider');
  expect(jointDiscovery(own, platform({ enabled: false }))).toEqual(own);
});

test('of its addresses the paths count, and keys and tokens are asked for at its own places only', () => {
  expect(platform()).toMatchObject({
    endPoint: '/apps/ocm',
    tokenEndPoint: '/apps/token',
    jwks: '/.well-known/jwks.json',
  });
  expect(platform({ endPoint: 'https://files.test/', tokenEndPoint: 'https://files.test/t?x=1' })).toMatchObject({
    endPoint: '',
    tokenEndPoint: '/t?x=1',
  });
  const elsewhere = platform({ tokenEndPoint: 'https://evil.test/t', jwksUri: 'http://evil.test/k' });
  expect(elsewhere).not.toHaveProperty('tokenEndPoint');
  expect(elsewhere).not.toHaveProperty('jwks');
});

test.each([
  ['nothing', undefined],
  ['a text', 'hello'],
  ['no endPoint', { ...PLATFORM_DOCUMENT, endPoint: undefined }],
  ['an endPoint that is no URL', { ...PLATFORM_DOCUMENT, endPoint: '/ocm' }],
  ['an endPoint of another kind', { ...PLATFORM_DOCUMENT, endPoint: 'file:///etc' }],
  ['types that are none', { ...PLATFORM_DOCUMENT, resourceTypes: 'file' }],
  ['too many types', { ...PLATFORM_DOCUMENT, resourceTypes: Array.from({ length: 51 }, () => ({ name: 'x' })) }],
])('nonsense is refused: %s', (_, body) => expect(() => readPlatform(body, HOSTS)).toThrow('upstream.malformed'));

test('keys are joined, and a kid that both have is ours', () => {
  const key = (kid: string, x: string) => ({ kid, alg: 'Ed25519', kty: 'OKP', x });
  const joined = jointJwkSet({ keys: [key('b#1', 'ours')] }, { keys: [key('b#1', 'theirs'), key('b#2', 'theirs')] });
  expect(joined.keys).toEqual([key('b#1', 'ours'), key('b#2', 'theirs')]);
});

import { expect, test } from 'vitest';
import { parseDirectory, parseProvidersFile } from '../../src/trust/listed-provider.js';
import { parseDirectorySources } from '../../src/trust/directory-source.js';

const service = (name: string) => ({ endpoint: { type: { name }, path: 'https://x.test/ocm/' }, host: 'x.test' });

test('a file of providers as Reva has it, new and old', () => {
  const { providers, skipped } = parseProvidersFile([
    { name: 'one', full_name: 'Cloud One', domain: 'one.example.org', services: [service('Webdav'), service('OCM')] },
    { name: 'two', domain: 'http://Two.example.org/', services: [service('OCM')] },
    { name: 'three', domain: 'three.example.org:8443' },
    { name: 'files only', domain: 'four.example.org', services: [service('Webdav')] },
    { name: 'no domain' },
    { domain: 'https://five.example.org/path' },
    { domain: 'user@six.example.org' },
    'seven.example.org',
  ]);
  expect(providers).toEqual([
    { host: 'one.example.org', name: 'Cloud One' },
    { host: 'two.example.org', name: 'two' },
    { host: 'three.example.org:8443', name: 'three' },
  ]);
  expect(skipped).toBe(5);
  expect(parseProvidersFile([])).toEqual({ providers: [], skipped: 0 });
});

test.each([[{}], [null], ['x'], [{ providers: [] }], [[{ domain: '' }]], [Array.from({ length: 10_001 }, () => ({}))]])(
  '%j is no file of providers',
  (body) => expect(() => parseProvidersFile(body)).toThrow('providers.malformed'),
);

test('of a Directory Service only what is a scheme, a host and a port counts', () => {
  const urls = [
    'https://a.test',
    'HTTPS://B.test:8443',
    'https://c.test/',
    'https://d.test?x',
    'https://e.test#x',
    'https://user@f.test',
    'https://g.test\\x',
    'http://h.test',
    'ftp://i.test',
    '//j.test',
    'https://k.test:99999',
    ' https://l.test',
    'https://m.test.',
  ];
  const body = { federation: 'Mesh\u0007', servers: [...urls.map((url) => ({ url, displayName: `at ${url}` })), {}] };
  const list = parseDirectory(body, false);
  expect(list.providers.map(({ host }) => host)).toEqual(['a.test', 'b.test:8443']);
  expect(list).toMatchObject({ federation: 'Mesh ', skipped: 12 });
  expect(parseDirectory(body, true).providers.map(({ host }) => host)).toContain('h.test');
});

test.each([[null], [{}], [{ federation: 'x' }], [{ federation: '', servers: [] }], [{ federation: 'x', servers: {} }]])(
  '%j is no list of a Directory Service',
  (body) => expect(() => parseDirectory(body, false)).toThrow('directory.malformed'),
);

const key = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const source = (changes: object, url = 'https://directory.test/list') => [{ url, keys: [{ ...key, ...changes }] }];

test('a key signs by the algorithms of its kind only', () => {
  const algorithms = (changes: object) => parseDirectorySources(source(changes), false)[0]!.keys[0]!.algorithms;
  expect(algorithms({})).toEqual(['EdDSA', 'Ed25519']);
  expect(algorithms({ alg: 'EdDSA' })).toEqual(['EdDSA']);
  expect(algorithms({ kty: 'EC', crv: 'P-256' })).toEqual(['ES256']);
});

test.each<[string, unknown]>([
  ['a shared secret', source({ kty: 'oct', crv: undefined, k: 'AAAA' })],
  ['none', source({ alg: 'none' })],
  ['an algorithm of another kind', source({ alg: 'HS256' })],
  ['a private key', source({ d: 'AAAA' })],
  ['no key', [{ url: 'https://directory.test', keys: [] }]],
  ['plain HTTP', source({}, 'http://directory.test')],
  ['a URL twice', [...source({}), ...source({})]],
  ['no list', {}],
])('%s is refused in the configuration', (_, body) => {
  expect(() => parseDirectorySources(body, false)).toThrow('config.wrong');
});

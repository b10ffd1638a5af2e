import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { allocatedBy } from '../../src/tokens/share-record.js';

const said = (body: unknown) => utf8(typeof body === 'string' ? body : JSON.stringify(body));
const webdav = (entry: object) => said({ status: 'stored', protocol: { webdav: entry, ssh: { uri: 7 } } });

describe('what a protocol server allocates', () => {
  test('I-021 is the URI, if it says one', () => {
    expect(allocatedBy(webdav({ uri: 'https://hub.test/7' }), false)).toEqual({ uri: 'https://hub.test/7' });
    for (const body of [said({}), said({ protocol: {} }), webdav({})]) expect(allocatedBy(body, false)).toEqual({});
  });

  test('I-022 is no secret, but that of the Token Server', () => {
    const entry = webdav({ uri: 'u', sharedSecret: 's' });
    expect(allocatedBy(entry, false)).toEqual({ uri: 'u' });
    expect(allocatedBy(webdav({ sharedSecret: 7 }), false)).toEqual({});
    expect(allocatedBy(entry, true)).toEqual({ uri: 'u', sharedSecret: 's' });
  });

  test.each<[string, unknown, boolean]>([
    ['no JSON', 'stored', false],
    ['no object', '[1]', false],
    ['a URI that is none', { protocol: { webdav: { uri: 7 } } }, false],
    ['an empty URI', { protocol: { webdav: { uri: '' } } }, false],
    ['a URI without end', { protocol: { webdav: { uri: 'x'.repeat(2049) } } }, false],
    ['no secret, of a Token Server', { protocol: { webdav: { uri: 'u' } } }, true],
    ['a secret without end', { protocol: { webdav: { sharedSecret: 'x'.repeat(513) } } }, true],
  ])('is refused when it is %s', (_, body, issues) => {
    expect(() => allocatedBy(said(body), issues)).toThrow('provisioning.answer-malformed');
  });
});

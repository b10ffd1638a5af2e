import { expect, test } from 'vitest';
import { parseProtocol, protocolBody } from '../../src/ocm/share-protocol.js';

const webdav = { uri: 'data.tar', sharedSecret: 's3cret', permissions: ['read', 'share'] };
const access = { ...webdav, accessTypes: ['remote'], requirements: [] };

test('all three spellings are read', () => {
  expect(parseProtocol({ name: 'multi', webdav })).toEqual(access);
  expect(parseProtocol({ name: 'webdav', webdav })).toEqual(access);
  expect(parseProtocol({ name: 'webdav', options: { sharedSecret: 's3cret', permissions: '{ns}share' } })).toEqual({
    ...access,
    uri: '',
    permissions: ['read'],
  });
});

test('the third spelling is written, whichever was read', () => {
  expect(protocolBody(parseProtocol({ name: 'webdav', webdav }))).toEqual({ name: 'multi', webdav });
});

test('several protocols: ours is taken', () => {
  expect(parseProtocol({ name: 'multi', webdav, ssh: { uri: 'u@h:1/x' }, webapp: {} })).toEqual(access);
});

test('what differs from the default is written', () => {
  const full = { ...webdav, accessTypes: ['remote', 'datatx'], requirements: ['must-use-mfa'], size: 0 };
  expect(protocolBody(parseProtocol({ name: 'multi', webdav: full }))).toEqual({ name: 'multi', webdav: full });
});

test('a requirement that is not known here refuses the share, an empty list too', () => {
  const requiring = (requirements: unknown) => () =>
    parseProtocol({ name: 'multi', webdav: { ...webdav, requirements } });
  expect(requiring(['must-exchange-token', 'must-dance'])).toThrow('share.requirement-unknown');
  expect(requiring(['mfa-enforced'])).toThrow('share.requirement-unknown');
  expect(requiring([])).toThrow('body.malformed');
  expect(requiring(['must-exchange-token', 'must-use-mfa'])).not.toThrow();
});

test.each([{ name: 'multi', ssh: {} }, { name: 'webapp', webapp: {} }, { name: 'multi' }])(
  '%j is of no use',
  (body) => {
    expect(() => parseProtocol(body)).toThrow('share.protocol-unsupported');
  },
);

test.each([
  {},
  { name: 'webdav' },
  { name: 'webdav', options: {} },
  { name: 'multi', webdav: { ...webdav, permissions: ['fly'] } },
  { name: 'multi', webdav: { ...webdav, permissions: [] } },
  { name: 'multi', webdav: { ...webdav, accessTypes: ['teleport'] } },
  { name: 'multi', webdav: { ...webdav, size: -1 } },
  { name: 'multi', webdav: { ...webdav, sharedSecret: '' } },
])('%j is refused', (body) => {
  expect(() => parseProtocol(body)).toThrow('body.malformed');
});

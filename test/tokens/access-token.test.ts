import { expect, test } from 'vitest';
import { ocmAddress, host } from '../../src/kernel/address.js';
import { epoch } from '../../src/kernel/ids.js';
import { type AccessFacts, accessClaims, issuerOf } from '../../src/tokens/access-token.js';

const AT = new Date('2026-09-01T12:00:00.900Z');
const seconds = Date.parse('2026-09-01T12:00:00Z') / 1000;

const FACTS: AccessFacts = {
  issuer: 'https://a.test',
  owner: ocmAddress('al@ice@a.test'),
  group: ocmAddress('lab@a.test'),
  epoch: epoch(7),
  providerId: 'p-1',
  recipient: host('b.test'),
  members: [ocmAddress('bob@b.test'), ocmAddress('ben@b.test')],
  data: { resourceType: 'file', name: 'data.tar', uri: 'data.tar', permissions: ['read'] },
  provisioned: false,
  at: AT,
  lifetimeMs: 300_000,
  jti: 'j-1',
};

test('a token says who issued it, for which group, to which server, and what it opens', () => {
  expect(accessClaims(FACTS)).toEqual({
    iss: 'https://a.test',
    sub: 'al@ice',
    aud: 'lab@a.test',
    client_id: 'p-1',
    iat: seconds,
    exp: seconds + 300,
    jti: 'j-1',
    groups: ['lab@a.test'],
    ocm_group: { address: 'lab@a.test', epoch: 7, recipient: 'b.test', members: ['bob@b.test', 'ben@b.test'] },
    ocm_ip: {
      providerId: 'p-1',
      resourceType: 'file',
      shareType: 'federation',
      name: 'data.tar',
      protocol: { webdav: { uri: 'data.tar', permissions: ['read'] } },
    },
  });
});

test('a bound token names its member and nobody else', () => {
  const claims = accessClaims({ ...FACTS, member: ocmAddress('ben@b.test') });
  expect(claims.ocm_group).toMatchObject({ member: 'ben@b.test', members: ['ben@b.test'] });
});

test('I-035 a token never outlives its share', () => {
  const expiration = new Date((seconds + 30) * 1000 + 999);
  const claims = accessClaims({ ...FACTS, expiration });
  expect([claims.exp, claims.ocm_ip?.expiration]).toEqual([seconds + 30, seconds + 30]);
  expect(() => accessClaims({ ...FACTS, expiration: AT })).toThrow('grant.expired');
});

test('I-038 no secret gets into a token, whatever is stored beside the data', () => {
  const data = { ...FACTS.data, sharedSecret: 'tell-nobody', extra: 1 };
  expect(JSON.stringify(accessClaims({ ...FACTS, data }))).not.toMatch(/tell-nobody|extra/);
});

test('a token fits a header line of 8 KiB, or is refused; bound to one member it fits', () => {
  const members = Array.from({ length: 150 }, (_, n) => ocmAddress(`researcher-number-${n}@b.test`));
  const fitting = accessClaims({ ...FACTS, members });
  const signed = Buffer.byteLength(JSON.stringify(fitting)) * (4 / 3) + 100 + 342; // header, RS256 signature
  expect(signed + 'Authorization: Bearer '.length).toBeLessThan(8192);
  const many = [...members, ...members];
  expect(() => accessClaims({ ...FACTS, members: many })).toThrow('token.too-large');
  expect(accessClaims({ ...FACTS, members: many, member: many[0]! }).ocm_group.members).toHaveLength(1);
});

test('the issuer is scheme and authority, whatever path the service lives under', () => {
  expect(issuerOf('https://a.test/covey', host('a.test'))).toBe('https://a.test');
  expect(issuerOf('http://127.0.0.1:8400', host('127.0.0.1:8400'))).toBe('http://127.0.0.1:8400');
});

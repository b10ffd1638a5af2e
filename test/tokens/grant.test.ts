import { expect, test } from 'vitest';
import { host, ocmAddress } from '../../src/kernel/address.js';
import { epoch } from '../../src/kernel/ids.js';
import { type Asking, type Grant, judgeExchange, secretHash, type Standing } from '../../src/tokens/grant.js';

const AT = new Date('2026-09-01T12:00:00Z');
const [bob, ben] = [ocmAddress('bob@b.test'), ocmAddress('ben@b.test')];
const GRANT: Grant = {
  providerId: 'p-1',
  shareId: 's-1',
  group: ocmAddress('lab@a.test'),
  sender: ocmAddress('alice@a.test'),
  owner: ocmAddress('alice@a.test'),
  recipient: host('b.test'),
  data: { resourceType: 'file', name: 'data.tar', uri: 'data.tar', permissions: ['read'] },
  provisioned: false,
  delegated: false,
  grantedAt: new Date(0),
};
const ASKING: Asking = { from: host('b.test'), at: AT };
const STANDING: Standing = { epoch: epoch(7), active: true, senderIsMember: true, members: [bob, ben] };

test('a living grant opens for the server it was made for', () => {
  expect(judgeExchange(GRANT, ASKING, STANDING)).toEqual({ kind: 'grant', epoch: 7, members: [bob, ben] });
  expect(judgeExchange(GRANT, { ...ASKING, member: ben }, STANDING).kind).toBe('grant');
});

test.each<[string, Partial<Grant>, Partial<Asking>, Partial<Standing> | undefined]>([
  ['grant.other-server', {}, { from: host('c.test') }, {}],
  ['grant.revoked', { revokedAt: AT }, {}, {}],
  ['grant.expired', { expiresAt: AT }, {}, {}],
  ['grant.group-gone', {}, {}, undefined],
  ['grant.group-gone', {}, {}, { active: false }],
  ['grant.sender-gone', {}, {}, { senderIsMember: false }],
  ['grant.server-gone', {}, {}, { members: [] }],
  ['grant.member-unknown', {}, { member: ocmAddress('mallory@b.test') }, {}],
  ['grant.member-unknown', {}, { member: ocmAddress('alice@a.test') }, {}],
])('%s', (cause, grant, asking, standing) => {
  const verdict = judgeExchange(
    { ...GRANT, ...grant },
    { ...ASKING, ...asking },
    standing && { ...STANDING, ...standing },
  );
  expect(verdict).toEqual({ kind: 'refuse', cause });
});

test('a stolen secret is called stolen, even when it is dead', () => {
  const verdict = judgeExchange({ ...GRANT, revokedAt: AT }, { ...ASKING, from: host('c.test') }, undefined);
  expect(verdict).toEqual({ kind: 'refuse', cause: 'grant.other-server' });
});

test('a hash tells secrets apart and does not contain them', () => {
  expect(secretHash('a')).toHaveLength(32);
  expect(secretHash('a')).not.toEqual(secretHash('b'));
});

import { expect, test } from 'vitest';
import type { Access } from '../../src/integration/access-verifier.js';
import { bearerOf } from '../../src/integration/group-access.js';
import { ocmAddress } from '../../src/kernel/address.js';

const address = (text: string) => ocmAddress(text);
const group = {
  address: address('lab@a.test'),
  epoch: 7,
  recipient: 'b.test',
  members: [address('bob@b.test'), address('ben@b.test')],
};
const ACCESS = { audience: address('lab@a.test'), groups: ['lab@a.test'], group } as unknown as Access;

test('a token speaks for the members of the server it was issued to', () => {
  expect(bearerOf(ACCESS)).toEqual({ group: 'lab@a.test', recipient: 'b.test', members: group.members });
});

test('a bound token speaks for one member', () => {
  const bound = { ...ACCESS, group: { ...group, member: group.members[1]! } };
  expect(bearerOf(bound).members).toEqual(['ben@b.test']);
});

test('only the groups that are welcome are let in', () => {
  expect(bearerOf(ACCESS, { groups: [address('lab@a.test')] }).group).toBe('lab@a.test');
  expect(() => bearerOf(ACCESS, { groups: [address('staff@a.test')] })).toThrow('access.scope');
  expect(() => bearerOf(ACCESS, { groups: [] })).toThrow('access.scope');
});

test.each<[string, Partial<Access>]>([
  ['names no group', { groups: [] }],
  ['names another group than it is for', { groups: ['staff@a.test'] }],
  ['is for another group than its members are of', { audience: address('staff@a.test'), groups: ['staff@a.test'] }],
  ['speaks for a member of another server', { group: { ...group, members: [address('carol@c.test')] } }],
  ['is bound to somebody who is not listed', { group: { ...group, member: address('mallory@b.test') } }],
])('a token that %s is refused', (_, change) => {
  expect(() => bearerOf({ ...ACCESS, ...change })).toThrow('access.scope');
});

test('a token without group claims opens nothing for a group', () => {
  const { group: _, ...plain } = ACCESS;
  expect(() => bearerOf(plain)).toThrow('access.scope');
});

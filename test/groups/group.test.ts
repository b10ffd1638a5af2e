import { expect, test } from 'vitest';
import { adminServers, memberServers, ownerServer, warningsOf } from '../../src/groups/group.js';
import { host, ocmAddress } from '../../src/kernel/address.js';

const admins = ['bob@b.test', 'alice@a.test', 'bella@b.test'].map(ocmAddress);

test('R-072 the home server of the first admin owns the group, and the next one takes over', () => {
  expect(ownerServer({ admins })).toBe('b.test');
  expect(ownerServer({ admins: admins.slice(1) })).toBe('a.test');
});

test('R-013 proposals go to the home server of every admin, once each', () => {
  expect(adminServers({ admins })).toEqual(['b.test', 'a.test']);
});

test('member servers come from member addresses, each once', () => {
  expect(memberServers(['x@c.test', 'y@c.test', 'z@d.test'].map(ocmAddress))).toEqual(['c.test', 'd.test']);
});

test.each([
  ['one admin of several members', ['alice@a.test'], ['alice@a.test', 'bob@b.test'], ['single-admin']],
  ['admins of one server only', ['alice@a.test', 'anna@a.test'], ['bob@b.test'], ['admins-on-one-server']],
  ['admins on two servers', ['alice@a.test', 'bob@b.test'], ['carol@c.test'], []],
  ['a group of one, where nobody else could be appointed', ['alice@a.test'], ['alice@a.test'], []],
  ['a group of one server', ['alice@a.test', 'anna@a.test'], [], []],
])('R-225 %s', (_, some, others, expected) => {
  const [admins, members] = [some.map(ocmAddress), [...new Set([...some, ...others])].map(ocmAddress)];
  expect(warningsOf({ admins }, members, [])).toEqual(expected);
});

test('a member server that may not take part is warned of, and more so when it is the owner server', () => {
  const admins = ['alice@a.test', 'bob@b.test'].map(ocmAddress);
  const members = [...admins, ocmAddress('carol@c.test')];
  expect(warningsOf({ admins }, members, [host('c.test')])).toEqual(['server-refused']);
  expect(warningsOf({ admins }, members, [host('b.test'), host('a.test')])).toEqual([
    'server-refused',
    'owner-refused',
  ]);
});

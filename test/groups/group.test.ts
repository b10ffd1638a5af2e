import { expect, test } from 'vitest';
import { adminServers, memberServers, ownerServer } from '../../src/groups/group.js';
import { ocmAddress } from '../../src/kernel/address.js';

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

import { expect, test } from 'vitest';
import { leavesOf, memberAt, membersOf } from '../../src/mls/roster.js';
import { address, expectFault, Fellowship } from './support/fellows.js';
import { named } from './support/refusals.js';

test('the roster of a tree is its leaves, from left to right, without the blank ones', async () => {
  const group = await Fellowship.of(['alice', 'bob', 'anna', 'carol']);
  await group.commit('alice', { remove: [group.leaf('bob')] });
  const members = membersOf(group.state('alice').ratchetTree);
  expect(members).toEqual([
    { leafIndex: 0, address: address('alice') },
    { leafIndex: 2, address: address('anna') },
    { leafIndex: 3, address: address('carol') },
  ]);
  expect(memberAt(members, address('carol'))?.leafIndex).toBe(3);
  expect(memberAt(members, address('bob'))).toBeUndefined();
});

test('a tree with a leaf that names nobody is no roster', async () => {
  const group = await Fellowship.of(['alice']);
  const [leaf] = leavesOf(group.state('alice').ratchetTree);
  const nameless = [{ nodeType: 'leaf' as const, leaf: named(leaf!.node, 'nobody') }];
  await expectFault((async () => leavesOf(nameless))(), 'credential.malformed');
});

import { encodeGroupState } from 'ts-mls';
import { beforeEach, describe, expect, test } from 'vitest';
import { toHex } from '../../src/kernel/bytes.js';
import { readHead, welcomeRefs } from '../../src/mls/epoch.js';
import { makeKeyPackage, refOf } from '../../src/mls/own-key-package.js';
import { readFramed } from '../../src/mls/mls-message.js';
import { readKeyPackage } from '../../src/mls/key-package.js';
import { address, expectFault, fellow, type Fellowship, NOW } from './support/fellows.js';
import { standing } from './support/refusals.js';

const DAY = 86_400_000;

describe('a Commit of ours', () => {
  let group: Fellowship;
  beforeEach(async () => {
    group = await standing();
  });

  const types = (commit: Uint8Array) =>
    readFramed(commit, 'commit').content.commit.proposals.map((one) =>
      one.proposalOrRefType === 'reference' ? 'reference' : one.proposal.proposalType,
    );

  test('R-019 R-020 leaves the state as it is: dropped, the next one is built on the same', async () => {
    const before = toHex(encodeGroupState(group.state('alice')));
    const lost = await group.build('alice', { remove: [group.leaf('dave')] });
    expect(toHex(encodeGroupState(group.state('alice')))).toBe(before);
    await group.commit('bob', { join: [await fellow('erin', group.suite)] });
    const again = await group.commit('alice', { remove: [group.leaf('dave')] });
    expect(again.facts.before.epoch).toBe(lost.facts.before.epoch + 1);
  });

  test('R-096 is a PublicMessage, with its Welcome beside it', async () => {
    const erin = await fellow('erin', group.suite);
    const { commit, welcome } = await group.build('alice', { add: [erin.keyPackage] });
    expect(readHead(commit)).toMatchObject({ kind: 'commit', epoch: 1, mlsGroupId: group.view('alice').mlsGroupId });
    expect(readHead(welcome!).kind).toBe('welcome');
    expect(welcomeRefs(welcome!)).toEqual([await refOf(erin.keyPackage, group.suite)]);
    expect((await group.build('alice')).welcome).toBeUndefined();
  });

  test('R-065 R-078 R-083 that removes an admin takes him off the list by itself', async () => {
    const made = await group.commit('alice', { remove: [group.leaf('bob')] });
    expect(types(made.commit)).toEqual(['remove', 'group_context_extensions']);
    expect(group.view('dave').admins).toEqual([address('alice')]);
    const other = await group.commit('alice', { remove: [group.leaf('carol')] });
    expect(types(other.commit)).toEqual(['remove']);
  });

  test('R-053 R-070 appoints at the end, and the next in the list follows', async () => {
    await group.commit('alice', { admins: ['alice', 'bob', 'carol'].map(address) });
    expect(group.view('dave').admins).toEqual(['alice', 'bob', 'carol'].map(address));
    await group.commit('alice', { admins: ['bob', 'carol'].map(address) });
    expect(group.view('dave').admins[0]).toBe(address('bob'));
  });

  test('R-066 R-074 an admin resigns through his own client and stays a member', async () => {
    const made = await group.commit('alice', { admins: [address('bob')] });
    expect(types(made.commit)).toEqual(['group_context_extensions']);
    expect(made.facts.removed).toEqual([]);
    expect(group.view('dave').members).toHaveLength(4);
    await expectFault(group.build('alice'), 'commit.not-admin');
  });

  test('R-082 carries the whole list of extensions', async () => {
    const { commit } = await group.build('alice', { admins: [address('bob')] });
    const [only] = readFramed(commit, 'commit').content.commit.proposals;
    const proposal = only?.proposalOrRefType === 'proposal' ? only.proposal : undefined;
    const list = proposal && 'groupContextExtensions' in proposal ? proposal.groupContextExtensions.extensions : [];
    const before = group.state('alice').groupContext.extensions;
    expect(list.map(({ extensionType }) => extensionType)).toEqual(before.map(({ extensionType }) => extensionType));
    expect(list[0]).toEqual(before[0]);
  });

  test('R-119 has an UpdatePath when it removes, changes extensions, or is empty, and none when it only adds', async () => {
    const path = async (order: Parameters<Fellowship['build']>[1]) =>
      readFramed((await group.build('alice', order)).commit, 'commit').content.commit.path !== undefined;
    expect(await path({})).toBe(true);
    expect(await path({ remove: [group.leaf('dave')] })).toBe(true);
    expect(await path({ admins: [address('alice')] })).toBe(true);
    expect(await path({ add: [(await fellow('erin', group.suite)).keyPackage] })).toBe(false);
  });

  test('R-114 R-115 R-116 covers the leave of a member by reference, and carries it as it was sent', async () => {
    const leave = await group.propose('dave', { proposalType: 'remove', remove: { removed: group.leaf('dave') } });
    const made = await group.commit('alice', { proposals: [leave], remove: [group.leaf('carol')] });
    expect(types(made.commit)).toEqual(['reference', 'remove']);
    expect(made.proposals).toEqual([leave]);
    expect(group.view('bob').members.map((member) => member.address)).toEqual(['alice', 'bob'].map(address));
  });

  test('R-067 another admin commits the leave of an admin, and takes him off the list', async () => {
    const leave = await group.propose('alice', { proposalType: 'remove', remove: { removed: group.leaf('alice') } });
    await expectFault(group.build('alice', { proposals: [leave] }), 'commit.removes-committer');
    await group.commit('bob', { proposals: [leave] });
    expect(group.view('dave').admins).toEqual([address('bob')]);
  });

  test('R-063 R-064 does not remove the last admin, not even at his own wish', async () => {
    await group.commit('bob', { admins: [address('bob')] });
    const leave = await group.propose('bob', { proposalType: 'remove', remove: { removed: group.leaf('bob') } });
    await expectFault(group.build('bob', { proposals: [leave] }), 'commit.last-admin');
    await expectFault(group.build('bob', { remove: [group.leaf('bob')] }), 'commit.last-admin');
    await expectFault(group.build('bob', { admins: [] }), 'commit.no-admin');
  });

  test('R-054 must pass the policy that the others apply', async () => {
    await expectFault(group.build('carol'), 'commit.not-admin');
    await expectFault(group.build('alice', { admins: ['bob', 'alice'].map(address) }), 'commit.admins-reordered');
    await expectFault(group.build('alice', { admins: ['alice', 'erin'].map(address) }), 'commit.ghost-admin');
    const carol = await fellow('carol', group.suite);
    await expectFault(group.build('alice', { add: [carol.keyPackage] }), 'commit.second-leaf');
    await expectFault(group.build('alice', { remove: [99] }), 'commit.invalid');
  });

  test('adds no KeyPackage before or after its lifetime', async () => {
    const { keyPackage } = await fellow('erin', group.suite);
    for (const now of [new Date(NOW.getTime() - DAY), new Date(NOW.getTime() + 31 * DAY)]) {
      await expectFault(group.build('alice', { add: [keyPackage], now }), 'commit.invalid');
    }
    expect((await group.build('alice', { add: [keyPackage], now: NOW })).facts.added).toEqual([address('erin')]);
  });

  test('adds no KeyPackage whose signature is wrong', async () => {
    const { keyPackage } = await fellow('erin', group.suite);
    const other = await fellow('frank', group.suite);
    const grafted = { ...keyPackage, initKey: other.keyPackage.initKey };
    await expectFault(group.build('alice', { add: [grafted] }), 'commit.invalid');
  });

  test('a last-resort KeyPackage may be added to one group after the other', async () => {
    const signatureKey = new Uint8Array(32).fill(3);
    const making = { address: address('erin'), kind: 'last-resort', signatureKey, now: NOW } as const;
    const keyPackage = readKeyPackage((await makeKeyPackage(making, group.suite)).message);
    const other = await standing();
    for (const one of [group, other]) {
      expect((await one.build('alice', { add: [keyPackage] })).facts.added).toEqual([address('erin')]);
    }
  });
});

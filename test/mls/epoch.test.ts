import { createCommit, emptyPskIndex, encodeGroupState, type Proposal } from 'ts-mls';
import { beforeEach, describe, expect, test } from 'vitest';
import { toHex } from '../../src/kernel/bytes.js';
import { advance, buildCommit, createFederatedGroup, proposeRemove, readHead } from '../../src/mls/epoch.js';
import { groupKey } from '../../src/mls/group-key.js';
import { viewOf } from '../../src/mls/group-view.js';
import { writeMessage } from '../../src/mls/mls-message.js';
import { FEDERATED_GROUP_EXTENSION, SUITE_NAME } from '../../src/mls/suite.js';
import { address, byValue, expectFault, fellow, Fellowship, NOW, suiteOf } from './support/fellows.js';
import { groupOf, LABEL, standing } from './support/refusals.js';

describe('a new group', () => {
  test('R-048 its creator is its only member and its first admin', async () => {
    const group = await Fellowship.of(['alice']);
    expect(group.view('alice')).toMatchObject({
      epoch: 0,
      address: LABEL,
      admins: [address('alice')],
      members: [{ leafIndex: 0, address: address('alice') }],
    });
  });

  test('R-068 its GroupContext carries the extension, and requires it of every member', async () => {
    const { groupContext } = (await Fellowship.of(['alice'])).state('alice');
    const types = groupContext.extensions.map(({ extensionType }) => extensionType);
    expect(types).toEqual(['required_capabilities', FEDERATED_GROUP_EXTENSION]);
    expect(groupContext.cipherSuite).toBe(SUITE_NAME);
  });

  test('R-084 a creator whose leaf does not list the extension founds none', async () => {
    const suite = await suiteOf('incapable');
    const { keyPackage, privateKeys } = await fellow('alice', suite);
    keyPackage.leafNode.capabilities = { ...keyPackage.leafNode.capabilities, extensions: [] };
    const creator = { keyPackage, privateKeys };
    const founding = createFederatedGroup({ groupId: new Uint8Array(32), address: address('lab'), creator }, suite);
    await expectFault(founding, 'key-package.capabilities');
  });
});

describe('a Commit that is followed', () => {
  let group: Fellowship;
  beforeEach(async () => {
    group = await standing();
  });

  test('all members end in the same epoch with the same Group Key', async () => {
    await group.commit('alice');
    await group.commit('bob', { join: [await fellow('erin', group.suite)] });
    await group.commit('alice', { remove: [group.leaf('dave')] });
    const keys = await Promise.all([...group.states.values()].map((state) => groupKey(state, group.suite)));
    expect(new Set(keys.map(toHex)).size).toBe(1);
    const authenticators = ['alice', 'bob', 'carol', 'erin'].map((name) => group.view(name).epochAuthenticator);
    expect(new Set(authenticators).size).toBe(1);
    expect(group.view('carol').epoch).toBe(4);
  });

  test('it tells who did what, before and after', async () => {
    const erin = await fellow('erin', group.suite);
    const made = await group.build('alice', { remove: [group.leaf('carol')], add: [erin.keyPackage] });
    const { facts, selfRemoved } = await group.advance('dave', made.commit);
    expect(selfRemoved).toBe(false);
    expect(facts).toMatchObject({ committer: address('alice'), added: [erin.address], removed: [address('carol')] });
    expect(facts.updated).toEqual([address('alice')]);
    expect(facts.before).toEqual(group.view('dave'));
    expect(facts.after.epoch).toBe(facts.before.epoch + 1);
    expect(facts.after.members.map((member) => member.address)).toEqual(['alice', 'bob', 'erin', 'dave'].map(address));
    expect(facts).toEqual(made.facts);
  });

  test('one that removes the own leaf tells the last roster, without keys', async () => {
    const made = await group.build('alice', { remove: [group.leaf('dave')] });
    const advanced = await group.advance('dave', made.commit);
    expect(advanced.selfRemoved).toBe(true);
    expect(advanced.facts.removed).toEqual([address('dave')]);
    expect(advanced.facts.after).toEqual({ ...made.facts.after, epochAuthenticator: '' });
    const later = (await group.build('alice')).commit;
    await expectFault(advance(advanced.state, { commit: later, proposals: [] }, group.suite), 'group.closed');
  });

  test('R-081 a rejoin pair gives a member a fresh leaf, an admin too', async () => {
    const again = await fellow('bob', group.suite);
    const old = group.leaf('bob');
    const made = await group.build('alice', { remove: [old], add: [again.keyPackage] });
    expect((await group.advance('bob', made.commit)).selfRemoved).toBe(true);
    const { facts } = await group.advance('dave', made.commit);
    expect([facts.added, facts.removed]).toEqual([[again.address], [again.address]]);
    expect(facts.after.admins).toEqual([address('alice'), address('bob')]);
  });

  test('the secrets of the old epoch are named to be wiped', async () => {
    const made = await group.build('alice');
    const { initSecret } = group.state('alice').keySchedule;
    expect(made.spent.map(toHex)).toContain(toHex(initSecret));
    const { spent } = await group.advance('dave', made.commit);
    expect(spent.map(toHex)).toContain(toHex(group.state('dave').keySchedule.initSecret));
  });
});

describe('a Commit that is not followed', () => {
  let group: Fellowship;
  beforeEach(async () => {
    group = await standing();
  });

  test('R-111 one of another epoch is refused, before and after its time', async () => {
    const first = await group.build('alice');
    await group.commit('bob');
    await expectFault(group.advance('dave', first.commit), 'commit.wrong-epoch');
    const { next } = await group.build('alice');
    const { commit } = await buildCommit(next, { add: [], remove: [], proposals: [], now: NOW }, group.suite);
    const facts = await expectFault(group.advance('dave', commit), 'commit.wrong-epoch');
    expect(facts).toEqual({ epoch: 3, current: 2 });
  });

  test('one of another group is refused', async () => {
    const other = await Fellowship.of(['xavier', 'yves']);
    const { commit } = await other.build('xavier');
    await expectFault(group.advance('dave', commit), 'commit.wrong-group');
  });

  test('R-098 one with a wrong membership tag or a wrong signature is refused', async () => {
    const { commit } = await group.build('alice');
    for (const from of [1, 40]) {
      const forged = commit.slice();
      forged[forged.length - from]! ^= 1;
      await expectFault(group.advance('dave', forged), 'commit.unauthentic');
    }
    const { keySchedule, ...state } = group.state('dave');
    const outsider = { ...state, keySchedule: { ...keySchedule, membershipKey: new Uint8Array(32) } };
    await expectFault(advance(outsider, { commit, proposals: [] }, group.suite), 'commit.unauthentic');
  });

  test('an own one that comes back is known for what it is', async () => {
    const { commit } = await group.build('alice');
    await expectFault(group.advance('alice', commit), 'commit.own-echo');
  });

  test('what MLS does not allow is refused, though the policy has nothing against it', async () => {
    const nobody: Proposal = { proposalType: 'remove', remove: { removed: 77 } };
    const commit = await group.forge('alice', { proposals: byValue(nobody), path: group.ownLeaf('alice') });
    await expectFault(group.advance('dave', commit), 'commit.invalid');
  });

  test('one that passes everything and does not open shows a fork', async () => {
    const dave = group.state('dave');
    const { commit } = await group.build('alice');
    const keyless = { ...dave, privatePath: { ...dave.privatePath, privateKeys: {} } };
    const before = toHex(encodeGroupState(keyless));
    await expectFault(advance(keyless, { commit, proposals: [] }, group.suite), 'commit.unopenable');
    expect(toHex(encodeGroupState(keyless))).toBe(before);
    const elsewhere = { ...dave, keySchedule: { ...dave.keySchedule, initSecret: new Uint8Array(32) } };
    await expectFault(advance(elsewhere, { commit, proposals: [] }, group.suite), 'commit.unopenable');
  });

  test('R-144 after a ReInit nothing is sent in the old group', async () => {
    const extensions = [groupOf(LABEL, 'alice', 'bob')];
    const reinit = { groupId: new Uint8Array(32), version: 'mls10', cipherSuite: SUITE_NAME, extensions } as const;
    const made = await createCommit(
      { state: group.state('alice'), pskIndex: emptyPskIndex, cipherSuite: group.suite },
      { wireAsPublicMessage: true, extraProposals: [{ proposalType: 'reinit', reinit: { ...reinit, extensions } }] },
    );
    const { state } = await group.advance('bob', writeMessage(made.commit));
    expect(state.groupActiveState.kind).toBe('suspendedPendingReinit');
    expect(viewOf(state).epoch).toBe(2);
    const order = { add: [], remove: [], proposals: [], now: NOW };
    await expectFault(buildCommit(state, order, group.suite), 'group.closed');
    await expectFault(proposeRemove(state, 1, group.suite), 'group.closed');
    const commit = (await group.build('alice')).commit;
    expect(readHead(commit).kind).toBe('commit');
    await expectFault(advance(state, { commit, proposals: [] }, group.suite), 'group.closed');
  });
});

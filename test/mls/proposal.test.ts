import { proposeAddExternal, createProposal, type Proposal } from 'ts-mls';
import { createGroupInfoWithExternalPubAndRatchetTree } from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../src/kernel/bytes.js';
import { proposeRemove, readHead, readProposal } from '../../src/mls/epoch.js';
import { writeMessage } from '../../src/mls/mls-message.js';
import { address, byValue, expectFault, fellow, Fellowship } from './support/fellows.js';
import { admins, named, standing } from './support/refusals.js';

describe('a proposal', () => {
  let group: Fellowship;
  beforeAll(async () => {
    group = await standing();
  });
  const read = (name: string, bytes: Uint8Array) => readProposal(group.state(name), bytes, group.suite);
  const leave = (name: string) => proposeRemove(group.state(name), group.leaf(name), group.suite);
  const update = async (name: string): Promise<Proposal> => {
    const { leafNode } = (await fellow(name, group.suite)).keyPackage;
    return { proposalType: 'update', update: { leafNode: { ...leafNode, leafNodeSource: 'update' } } };
  };

  test('R-059 R-096 any member may propose to leave, as a PublicMessage', async () => {
    const bytes = await leave('dave');
    expect(readHead(bytes)).toMatchObject({ kind: 'proposal', epoch: 1, mlsGroupId: group.view('dave').mlsGroupId });
    expect(await read('alice', bytes)).toEqual({
      ref: toHex(((await group.reference(bytes)) as { reference: Uint8Array }).reference),
      epoch: 1,
      kind: 'remove-self',
      senderLeaf: group.leaf('dave'),
      sender: address('dave'),
      target: address('dave'),
    });
  });

  test('is named by its ProposalRef, which is the same for all and another for every proposal', async () => {
    const bytes = await leave('dave');
    const refs = await Promise.all(['alice', 'bob', 'carol'].map(async (name) => (await read(name, bytes)).ref));
    expect(new Set(refs).size).toBe(1);
    expect((await read('alice', await leave('carol'))).ref).not.toBe(refs[0]);
  });

  test('tells its kind and whom it is about', async () => {
    const removal = await proposeRemove(group.state('dave'), group.leaf('carol'), group.suite);
    expect(await read('alice', removal)).toMatchObject({
      kind: 'remove',
      sender: address('dave'),
      target: address('carol'),
    });
    const { keyPackage } = await fellow('erin', group.suite);
    const kinds: [Proposal, object][] = [
      [
        { proposalType: 'add', add: { keyPackage } },
        { kind: 'add', target: address('erin') },
      ],
      [await update('dave'), { kind: 'update' }],
      [admins('alice'), { kind: 'admin-set' }],
      [{ proposalType: 0xf123, proposalData: new Uint8Array() }, { kind: 'other' }],
    ];
    for (const [proposal, expected] of kinds) {
      expect(await read('alice', await group.propose('dave', proposal))).toMatchObject(expected);
    }
  });

  test('R-098 with a wrong signature or membership tag is refused', async () => {
    const bytes = await leave('dave');
    const forged = bytes.slice();
    forged[forged.length - 1]! ^= 1;
    await expectFault(read('alice', forged), 'proposal.unauthentic');
    const { keySchedule, ...state } = group.state('alice');
    const outsider = { ...state, keySchedule: { ...keySchedule, membershipKey: new Uint8Array(32) } };
    await expectFault(readProposal(outsider, bytes, group.suite), 'proposal.unauthentic');
  });

  test('of another group or another epoch is refused', async () => {
    const other = await Fellowship.of(['xavier', 'yves']);
    const foreign = await proposeRemove(other.state('yves'), 1, group.suite);
    await expectFault(read('alice', foreign), 'proposal.wrong-group');
    const { next } = await group.build('alice');
    await expectFault(readProposal(next, await leave('dave'), group.suite), 'proposal.stale');
    await expectFault(read('bob', await proposeRemove(next, 1, group.suite)), 'proposal.early');
  });

  test('from outside of the group is refused', async () => {
    const { keyPackage, privateKeys } = await fellow('erin', group.suite);
    const info = await createGroupInfoWithExternalPubAndRatchetTree(group.state('alice'), [], group.suite);
    const message = await proposeAddExternal(info, keyPackage, privateKeys, group.suite);
    await expectFault(read('alice', writeMessage(message)), 'proposal.not-from-member');
  });

  test('R-219 R-220 an Update whose leaf names another user is refused, in a Commit too', async () => {
    const { leafNode } = (await fellow('dave', group.suite)).keyPackage;
    const stolen = { ...named(leafNode, 'alice@a.test'), leafNodeSource: 'update' as const };
    const bytes = await group.propose('dave', { proposalType: 'update', update: { leafNode: stolen } });
    await expectFault(read('alice', bytes), 'proposal.successor-differs');
    const commit = await group.forge('alice', { path: group.ownLeaf('alice') });
    const facts = await expectFault(group.advance('dave', commit, [bytes]), 'commit.proposal-refused');
    expect(facts).toMatchObject({ position: 0, fault: 'proposal.successor-differs' });
  });
});

describe('the proposals that come with a Commit', () => {
  let group: Fellowship;
  let leaves: Uint8Array[];
  beforeAll(async () => {
    group = await Fellowship.of(['alice', 'bob', 'carol', 'dave', 'erin']);
    leaves = [];
    for (const name of ['carol', 'erin'])
      leaves.push(await proposeRemove(group.state(name), group.leaf(name), group.suite));
  });

  test('R-115 R-116 R-118 are those that it names, in its order', async () => {
    const { commit } = await group.build('alice', { proposals: leaves });
    expect((await group.advance('dave', commit, leaves)).facts.removed.toSorted()).toEqual(
      ['carol', 'erin'].map(address),
    );
    const [first, second] = leaves as [Uint8Array, Uint8Array];
    for (const carried of [[], [first], [second, first], [first, second, second], [first, first]]) {
      await expectFault(group.advance('dave', commit, carried), 'commit.proposals-differ');
    }
  });

  test('R-117 are none when the Commit names none', async () => {
    const { commit } = await group.build('alice', { remove: [group.leaf('carol')] });
    expect((await group.advance('dave', commit)).facts.removed).toEqual([address('carol')]);
    await expectFault(group.advance('dave', commit, leaves.slice(1)), 'commit.proposals-differ');
  });

  test('are not taken from what was received before', async () => {
    const { state } = { state: group.state('dave') };
    const made = await createProposal(state, true, { proposalType: 'remove', remove: { removed: 2 } }, group.suite);
    expect(Object.keys(made.newState.unappliedProposals)).toHaveLength(1);
    group.states.set(address('dave'), made.newState);
    const { commit } = await group.build('alice');
    const { state: next } = await group.advance('dave', commit);
    expect(next.unappliedProposals).toEqual({});
    const named = await group.reference(writeMessage(made.message));
    const forged = await group.forge('alice', { proposals: [named, ...byValue()], path: group.ownLeaf('alice') });
    await expectFault(group.advance('dave', forged), 'commit.proposals-differ');
  });
});

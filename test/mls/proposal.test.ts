import { proposeAddExternal, createProposal, type Proposal } from 'ts-mls';
import { signWithLabel } from 'ts-mls/crypto/signature.js';
import { encodeLeafNodeTBS, type LeafNodeKeyPackage, type LeafNodeUpdate } from 'ts-mls/leafNode.js';
import { createGroupInfoWithExternalPubAndRatchetTree } from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../src/kernel/bytes.js';
import { proposeRemove, proposeUpdate, readHead, readProposal } from '../../src/mls/epoch.js';
import { readFramed, writeMessage } from '../../src/mls/mls-message.js';
import { successorOf } from '../../src/mls/successor-leaf.js';
import { address, byValue, expectFault, fellow, Fellowship } from './support/fellows.js';
import { admins, named, standing } from './support/refusals.js';

describe('a proposal', () => {
  let group: Fellowship;
  beforeAll(async () => {
    group = await standing();
  });
  const read = (name: string, bytes: Uint8Array) => readProposal(group.state(name), bytes, group.suite);
  const leave = (name: string) => proposeRemove(group.state(name), group.leaf(name), group.suite);
  const update = async (name: string): Promise<LeafNodeUpdate> =>
    (await successorOf(group.state(name), group.suite)).leafNode;

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
      [{ proposalType: 'update', update: { leafNode: await update('dave') } }, { kind: 'update' }],
      [admins('bob', 'dave'), { kind: 'admin-set', admins: [address('bob'), address('dave')] }],
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

describe('an Update', () => {
  let group: Fellowship;
  beforeAll(async () => {
    group = await standing();
  });

  test('R-128 brings a fresh key and keeps everything else of the leaf', async () => {
    const { proposal, update } = await proposeUpdate(group.state('dave'), group.suite);
    const read = await readProposal(group.state('alice'), proposal, group.suite);
    expect(read).toEqual({
      ref: update.ref,
      epoch: 1,
      kind: 'update',
      senderLeaf: group.leaf('dave'),
      sender: address('dave'),
    });
    const { content } = readFramed(proposal, 'proposal');
    const { leafNode } = (content.proposal as Proposal & { proposalType: 'update' }).update;
    const { lifetime: _, ...old } = group.ownLeaf('dave') as LeafNodeKeyPackage;
    expect(leafNode).toEqual({
      ...old,
      leafNodeSource: 'update',
      hpkePublicKey: leafNode.hpkePublicKey,
      signature: leafNode.signature,
    });
    expect(leafNode.hpkePublicKey).not.toEqual(old.hpkePublicKey);
  });

  test('whose leaf could not be committed is refused by itself, and spoils no Commit', async () => {
    const { leafNode } = await successorOf(group.state('dave'), group.suite);
    const carols = group.ownLeaf('carol');
    const unfit: Record<string, Partial<LeafNodeUpdate>> = {
      'a key that nothing can be sealed to': { hpkePublicKey: new Uint8Array(32) },
      'a key that is too short': { hpkePublicKey: leafNode.hpkePublicKey.slice(1) },
      'the key of another leaf': { hpkePublicKey: carols.hpkePublicKey },
      'its old key': { hpkePublicKey: group.ownLeaf('dave').hpkePublicKey },
      'the signature key of another leaf': { signaturePublicKey: carols.signaturePublicKey },
      'without ocm_federated_group': { capabilities: { ...leafNode.capabilities, extensions: [] } },
      'a signature of something else': { signature: carols.signature },
    };
    const { groupContext, signaturePrivateKey } = group.state('dave');
    for (const [what, change] of Object.entries(unfit)) {
      const leaf = { ...leafNode, ...change };
      const place = { groupId: groupContext.groupId, leafIndex: group.leaf('dave') };
      const signed = encodeLeafNodeTBS({ ...leaf, ...place });
      const { signature } = group.suite;
      const own = { signature: await signWithLabel(signaturePrivateKey, 'LeafNodeTBS', signed, signature) };
      const bytes = await group.propose('dave', {
        proposalType: 'update',
        update: { leafNode: { ...leaf, ...('signature' in change ? change : own) } },
      });
      const { reason } = await expectFault(
        readProposal(group.state('alice'), bytes, group.suite),
        'proposal.leaf-unfit',
      );
      expect(reason, what).toEqual(expect.any(String));
    }
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

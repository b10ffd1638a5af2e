import { createCommit, emptyPskIndex, type Proposal } from 'ts-mls';
import type { UpdatePath } from 'ts-mls/updatePath.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { buildCommit } from '../../src/mls/epoch.js';
import { readFramed, writeMessage } from '../../src/mls/mls-message.js';
import { followPublicly, type PublicGroup } from '../../src/mls/public-group.js';
import { SUITE_NAME } from '../../src/mls/suite.js';
import { Crowd, inBytes, publicPartOf } from './support/crowd.js';
import { address, byValue, expectFault, fellow, type Fellowship, NOW, signCommit, suiteOf } from './support/fellows.js';
import { groupOf, LABEL, standing } from './support/refusals.js';

test.each(['four', 'five', 'six'])(
  'R-099 R-104 what is committed here passes every public check, and who holds no secret ends in the same public state: %s',
  async (seed) => {
    const crowd = await Crowd.of(seed, 5, await suiteOf(seed));
    for (let step = 0; step < 15; step++) await crowd.step();
    for (const state of crowd.states.values()) expect(inBytes(crowd.outside)).toEqual(inBytes(state));
    expect(crowd.outside.groupContext.epoch).toBe(16n);
  },
);

describe('what is wrong with a Commit is seen without secrets:', () => {
  let group: Fellowship;
  let outside: PublicGroup;
  beforeEach(async () => {
    group = await standing();
    outside = publicPartOf(group.state('dave'));
  });

  const follow = (commit: Uint8Array, proposals: readonly Uint8Array[] = []) =>
    followPublicly(outside, { commit, proposals }, group.suite);

  /** What alice commits, with another path, signed anew by her. */
  async function withPath(change: (path: UpdatePath) => Partial<UpdatePath>): Promise<Uint8Array> {
    const { commit } = readFramed((await group.build('alice')).commit, 'commit').content;
    const path = { ...commit.path!, ...change(commit.path!) };
    return signCommit(group.state('alice'), { ...commit, path }, group.suite);
  }

  test('R-099 a wrong signature, and the one of another leaf', async () => {
    const { commit } = await group.build('alice');
    const forged = commit.slice();
    forged[forged.length - 80]! ^= 1; // before the confirmation tag and the membership tag
    await expectFault(follow(forged), 'commit.unauthentic');
    const alice = group.state('alice');
    const { signaturePrivateKey } = group.state('bob');
    const framed = readFramed(commit, 'commit').content.commit;
    await expectFault(
      follow(await signCommit({ ...alice, signaturePrivateKey }, framed, group.suite)),
      'commit.unauthentic',
    );
  });

  test('R-098 but not the tag that only members can make', async () => {
    const { commit } = await group.build('alice');
    const forged = commit.slice();
    forged[forged.length - 1]! ^= 1;
    await follow(forged);
    await expectFault(group.advance('dave', forged), 'commit.unauthentic');
  });

  test('R-056 the policy', async () => {
    await expectFault(follow(await group.forge('carol', { path: group.ownLeaf('carol') })), 'commit.not-admin');
  });

  test('R-118 a proposal that its sender did not sign', async () => {
    const leave: Proposal = { proposalType: 'remove', remove: { removed: group.leaf('dave') } };
    const proposal = await group.propose('dave', leave);
    const { commit } = await group.build('alice', { proposals: [proposal] });
    expect((await follow(commit, [proposal])).intent.after.leaves).toHaveLength(3);
    const forged = proposal.slice();
    forged[forged.length - 40]! ^= 1;
    const facts = await expectFault(follow(commit, [forged]), 'commit.proposal-refused');
    expect(facts).toMatchObject({ position: 0, fault: 'proposal.unauthentic' });
  });

  test('a KeyPackage that its owner did not sign', async () => {
    const { keyPackage } = await fellow('erin', group.suite);
    const signature = keyPackage.signature.map((byte) => byte ^ 1);
    const add: Proposal = { proposalType: 'add', add: { keyPackage: { ...keyPackage, signature } } };
    await expectFault(follow(await group.forge('alice', { proposals: byValue(add) })), 'commit.invalid');
  });

  test('a path leaf that the committer did not sign', async () => {
    const forged = await withPath(({ leafNode }) => ({
      leafNode: { ...leafNode, signature: leafNode.signature.map((byte) => byte ^ 1) },
    }));
    await expectFault(follow(forged), 'commit.invalid');
  });

  test('a path whose keys are not those that the parent hashes cover', async () => {
    const forged = await withPath(({ nodes: [first, ...others] }) => ({
      nodes: [{ ...first!, hpkePublicKey: others[0]!.hpkePublicKey.map((byte) => byte ^ 1) }, ...others],
    }));
    await expectFault(follow(forged), 'commit.invalid');
  });

  test('a path that is too short, and one with a secret that is not sealed for everybody', async () => {
    await expectFault(follow(await withPath(({ nodes }) => ({ nodes: nodes.slice(1) }))), 'commit.invalid');
    const unsealed = await withPath(({ nodes }) => ({
      nodes: nodes.map((node, at) => (at === 1 ? { ...node, encryptedPathSecret: [] } : node)),
    }));
    await expectFault(follow(unsealed), 'commit.invalid');
    await expectFault(group.advance('bob', unsealed), 'commit.invalid');
  });

  test('R-144 a Commit after a ReInit', async () => {
    const extensions = [groupOf(LABEL, 'alice', 'bob')];
    const reinit = { groupId: new Uint8Array(32), version: 'mls10', cipherSuite: SUITE_NAME, extensions } as const;
    const made = await createCommit(
      { state: group.state('alice'), pskIndex: emptyPskIndex, cipherSuite: group.suite },
      { wireAsPublicMessage: true, extraProposals: [{ proposalType: 'reinit', reinit: { ...reinit, extensions } }] },
    );
    const { next } = await follow(writeMessage(made.commit));
    expect(inBytes(next)).toEqual(inBytes(made.newState));
    const { commit } = await group.build('bob');
    await expectFault(followPublicly(next, { commit, proposals: [] }, group.suite), 'group.closed');
  });

  test('and the state that was judged by is left as it was', async () => {
    const before = inBytes(outside);
    const made = await group.build('alice', { remove: [group.leaf('carol')] });
    const { next } = await follow(made.commit);
    expect(inBytes(outside)).toEqual(before);
    expect(inBytes(next)).toEqual(inBytes(made.next));
    const later = await buildCommit(made.next, { add: [], remove: [], proposals: [], now: NOW }, group.suite);
    const step = await followPublicly(next, later, group.suite);
    expect(step.intent.committer?.address).toBe(address('alice'));
  });
});

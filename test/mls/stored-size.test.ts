import type { LeafNode, Node } from 'ts-mls';
import { encodeRatchetTree } from 'ts-mls/ratchetTree.js';
import { expect, test } from 'vitest';
import { ocmAddress } from '../../src/kernel/address.js';
import { sameBytes } from '../../src/kernel/bytes.js';
import { credentialOf } from '../../src/mls/credential.js';
import { type KeyedEpoch, readEpoch, writeEpoch } from '../../src/mls/stored-state.js';
import { CAPABILITIES, SUITE_NAME } from '../../src/mls/suite.js';
import { TestDice } from '../support/dice.js';

const dice = new TestDice('stored-size');

/** A tree of `members` as an epoch in which every node is populated would have it; nobody could use it. */
function synthetic(members: number): KeyedEpoch {
  const width = 2 ** Math.ceil(Math.log2(members));
  const leaf = (index: number): LeafNode => ({
    hpkePublicKey: dice.bytes(32),
    signaturePublicKey: dice.bytes(32),
    credential: credentialOf(ocmAddress(`user${index}@server${index % 10}.example.org`)),
    capabilities: CAPABILITIES,
    leafNodeSource: 'commit',
    parentHash: dice.bytes(32),
    extensions: [],
    signature: dice.bytes(64),
  });
  const node = (index: number): Node | undefined => {
    if (index % 2 === 0) return index / 2 < members ? { nodeType: 'leaf', leaf: leaf(index / 2) } : undefined;
    const unmergedLeaves = index === width - 1 ? Array.from({ length: members }, (_, at) => at) : [];
    return {
      nodeType: 'parent',
      parent: { hpkePublicKey: dice.bytes(32), parentHash: dice.bytes(32), unmergedLeaves },
    };
  };
  const ratchetTree = Array.from({ length: 2 * width - 1 }, (_, index) => node(index));
  const ratchet = () => ({ secret: dice.bytes(32), generation: 0, unusedGenerations: {} });
  const secretTree = () => ratchetTree.map(() => ({ application: ratchet(), handshake: ratchet() }));
  const groupContext = {
    version: 'mls10' as const,
    cipherSuite: SUITE_NAME as typeof SUITE_NAME,
    groupId: dice.bytes(32),
    epoch: 7n,
    treeHash: dice.bytes(32),
    confirmedTranscriptHash: dice.bytes(32),
    extensions: [],
  };
  const key = () => dice.bytes(32);
  return {
    groupKey: dice.bytes(16),
    common: {
      groupContext,
      ratchetTree,
      secretTree: secretTree(),
      confirmationTag: key(),
      groupActiveState: { kind: 'active' },
      keySchedule: {
        senderDataSecret: key(),
        exporterSecret: key(),
        externalSecret: key(),
        confirmationKey: key(),
        membershipKey: key(),
        resumptionPsk: key(),
        epochAuthenticator: key(),
        initSecret: key(),
      },
      historicalReceiverData: new Map([
        [
          6n,
          {
            groupContext: { ...groupContext, epoch: 6n },
            // As after one Commit: the path of one leaf has changed.
            ratchetTree: ratchetTree.map((before, index) => (index === 0 ? node(0) : before)),
            secretTree: secretTree(),
            senderDataSecret: key(),
            resumptionPsk: key(),
          },
        ],
      ]),
    },
  };
}

test('a group of 5,000 is stored and loaded, though its encoder is recursive in the library', () => {
  const epoch = synthetic(5_000);
  const stored = writeEpoch(epoch);
  const { common } = readEpoch(stored);
  const again = writeEpoch({ common, groupKey: epoch.groupKey });
  expect([sameBytes(again.public, stored.public), sameBytes(again.shared, stored.shared)]).toEqual([true, true]);
  const trees = [common.ratchetTree, epoch.common.ratchetTree].map((tree) => encodeRatchetTree(tree));
  expect(sameBytes(trees[0]!, trees[1]!)).toBe(true);
});

test.each([
  [10, 5_000, 2_000],
  [100, 40_000, 10_000],
  [1000, 400_000, 100_000],
])('a group of %i takes at most %i public and %i shared bytes, one earlier epoch included', (members, most, shared) => {
  const stored = writeEpoch(synthetic(members));
  console.log(`${members} members: ${stored.public.length} public, ${stored.shared.length} shared bytes`);
  expect(stored.public.length).toBeLessThan(most);
  expect(stored.shared.length).toBeLessThan(shared);
});

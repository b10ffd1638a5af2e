import assert from 'node:assert/strict';
import type { Suite } from '../../../src/mls/suite.js';
import type { Library } from '../support/library-without.js';
import { Member, party, suiteFor } from '../support/party.js';
import { followStory } from './story.js';

export async function unmergedLeavesOfAnAncestorMayBeMore(lib: Library): Promise<void> {
  await followStory(lib, 'unmerged-join-1');
}

export async function externalPubIsAVector(lib: Library): Promise<void> {
  const suite = await suiteFor('external');
  const [founder, joiner] = [await party('alice', suite), await party('bob', suite)];
  const alice = await Member.found(lib, suite, founder);
  const withoutTree = await lib.createGroupInfoWithExternalPub(alice.state, [], suite);
  const groupInfo = await lib.createGroupInfoWithExternalPubAndRatchetTree(alice.state, [], suite);
  for (const { extensions } of [withoutTree, groupInfo]) {
    const key = extensions.find(({ extensionType }) => extensionType === 'external_pub')!.extensionData;
    assert.deepEqual([key.length, key[0]], [33, 32]);
  }
  const { newState, publicMessage } = await lib.joinGroupExternal(
    groupInfo,
    joiner.keyPackage,
    joiner.privateKeys,
    false,
    suite,
  );
  await alice.follow({ version: 'mls10', wireformat: 'mls_public_message', publicMessage });
  assert.equal(alice.authenticator, new Member(lib, suite, newState).authenticator);
}

const MEMBERS = 64;

/** Leaves from KeyPackages have no parent hash: nothing is to be hashed for them. */
export async function joiningHashesNothingForFreshLeaves(lib: Library): Promise<void> {
  const suite = await suiteFor('hashing');
  let digests = 0;
  const digest: Suite['hash']['digest'] = (data) => {
    digests += 1;
    return suite.hash.digest(data);
  };
  const counting: Suite = { ...suite, hash: { ...suite.hash, digest } };
  const alice = await Member.found(lib, suite, await party('alice', suite));
  await alice.add(...(await Promise.all(Array.from({ length: MEMBERS }, (_, at) => party(`user${at}`, suite)))));
  await alice.commit([]);
  const joiner = await party('zoe', suite);
  const { welcome } = await alice.add(joiner);
  await Member.join(lib, counting, welcome, joiner);
  assert(digests < 20 * MEMBERS, `${digests} hashes for ${MEMBERS} members`);
}

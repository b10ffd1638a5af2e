import assert from 'node:assert/strict';
import * as mended from 'ts-mls';
import { initializeEpoch } from 'ts-mls/keySchedule.js';
import type { Library } from '../support/library-without.js';
import { anExtension, Member, party, remove, replaceExtensions, suiteFor } from '../support/party.js';
import { followStory } from './story.js';

/** A group of the first `names`, all with the same library. */
async function group(lib: Library, ...names: string[]): Promise<Member[]> {
  const suite = await suiteFor(names.join());
  const [founder, ...others] = await Promise.all(names.map((name) => party(name, suite)));
  const first = await Member.found(lib, suite, founder!, [anExtension('one')]);
  const { welcome } = await first.add(...others);
  return [first, ...(await Promise.all(others.map((other) => Member.join(lib, suite, welcome, other))))];
}

const pathOf = ({ commit }: mended.CreateCommitResult) => {
  assert(commit.wireformat === 'mls_public_message' && commit.publicMessage.content.contentType === 'commit');
  return commit.publicMessage.content.commit.path;
};

export async function extensionsAloneComeWithAPath(lib: Library): Promise<void> {
  const [alice] = await group(lib, 'alice', 'bob');
  assert.notEqual(pathOf(await alice!.commit([replaceExtensions(anExtension('two'))])), undefined);
}

export async function pathIsSealedUnderTheNewExtensions(lib: Library): Promise<void> {
  const [alice, bob, carol] = await group(lib, 'alice', 'bob', 'carol');
  const { commit } = await alice!.commit([remove(1), replaceExtensions(anExtension('two'))]);
  await carol!.follow(commit);
  assert.equal(carol!.authenticator, alice!.authenticator);
  await bob!.follow(commit);
}

export async function removedIsWhoIsNamedThoughTheSlotIsTaken(lib: Library): Promise<void> {
  const [alice, bob] = await group(lib, 'alice', 'bob');
  const again = await party('bob', bob!.suite);
  const { commit } = await alice!.commit([remove(1), { proposalType: 'add', add: again }]);
  await bob!.follow(commit);
  assert.equal(bob!.state.groupActiveState.kind, 'removedFromGroup');
  await followStory(lib, 'rejoin-self-1');
}

/** Leaves 2 and 3 are left of four: the left half of the tree is empty, and with it the root. */
export async function commitSecretNeedsNoRoot(lib: Library): Promise<void> {
  await followStory(lib, 'blank-root-1');
  const [, , carol, dave] = await group(mended, 'alice', 'bob', 'carol', 'dave');
  const { commit } = await carol!.commit([remove(0), remove(1)]);
  await dave!.follow(commit);
  assert.equal(carol!.state.ratchetTree[3], undefined, 'the root is blank');
  // What the library under test commits must be followed by one that follows the other implementation.
  const made = new Member(lib, carol!.suite, carol!.state);
  await dave!.follow((await made.commit([])).commit);
  assert.equal(dave!.authenticator, made.authenticator);
}

export async function theLastOneLeftStillMakesAFreshSecret(lib: Library): Promise<void> {
  const [alice, bob] = await group(lib, 'alice', 'bob');
  await alice!.commit([remove(1)]);
  const { kdf } = alice!.suite;
  const nothing = new Uint8Array(kdf.size);
  const known = await initializeEpoch(
    bob!.state.keySchedule.initSecret,
    nothing,
    alice!.state.groupContext,
    nothing,
    kdf,
  );
  const guessed = Buffer.from(known.keySchedule.epochAuthenticator).toString('hex');
  assert.notEqual(alice!.authenticator, guessed, 'the removed member knows the new epoch');
  const carol = await party('carol', alice!.suite);
  const { welcome } = await alice!.add(carol);
  assert.equal((await Member.join(lib, alice!.suite, welcome, carol)).authenticator, alice!.authenticator);
}

export async function emptyListClearsTheExtensions(lib: Library): Promise<void> {
  await followStory(lib, 'refuse-extension-dropped-drop-all');
  const [alice, bob] = await group(lib, 'alice', 'bob');
  const { commit } = await alice!.commit([replaceExtensions()]);
  await bob!.follow(commit);
  assert.deepEqual([alice!.state.groupContext.extensions, bob!.state.groupContext.extensions], [[], []]);
}

const YEAR_2100 = 4_102_444_800n;

export async function lifetimesAreJudgedAtTheCallersTime(lib: Library): Promise<void> {
  const [alice] = await group(lib, 'alice', 'bob');
  const lifetime = { notBefore: YEAR_2100, notAfter: YEAR_2100 + 86_400n };
  const carol = await party('carol', alice!.suite, { lifetime });
  const at = (currentTime: bigint) => {
    const lifetimeConfig = { ...mended.defaultLifetimeConfig, currentTime };
    const state = { ...alice!.state, clientConfig: { ...alice!.state.clientConfig, lifetimeConfig } };
    return new Member(lib, alice!.suite, state);
  };
  await at(YEAR_2100 + 1n).add(carol);
  await assert.rejects(at(YEAR_2100 - 1n).add(carol));
}

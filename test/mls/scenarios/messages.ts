import assert from 'node:assert/strict';
import { bytesToBase64, emptyPskIndex, makePskIndex, type ClientState } from 'ts-mls';
import { utf8 } from '../../../src/kernel/bytes.js';
import type { Library } from '../support/library-without.js';
import { config, Member, onTheWire, party, suiteFor } from '../support/party.js';

async function pair(lib: Library): Promise<[Member, Member]> {
  const suite = await suiteFor('pair');
  const [founder, joiner] = [await party('alice', suite), await party('bob', suite)];
  const alice = await Member.found(lib, suite, founder);
  const { welcome } = await alice.add(joiner);
  return [alice, await Member.join(lib, suite, welcome, joiner)];
}

export async function pskWorksInAPrivateMessage(lib: Library): Promise<void> {
  const [alice, bob] = await pair(lib);
  const pskId = utf8('psk');
  const pskIndex = makePskIndex(undefined, { [bytesToBase64(pskId)]: utf8('a secret that both know') });
  const preSharedKeyId = { psktype: 'external', pskId, pskNonce: new Uint8Array(32) } as const;
  const proposal = { proposalType: 'psk', psk: { preSharedKeyId } } as const;
  const { commit } = await alice.commit([proposal], { pskIndex, wireAsPublicMessage: false });
  await bob.follow(commit, pskIndex);
  assert.equal(bob.authenticator, alice.authenticator);
}

const retaining = (state: ClientState, retainKeysForEpochs: number): ClientState => ({
  ...state,
  clientConfig: config({ keyRetentionConfig: { ...state.clientConfig.keyRetentionConfig, retainKeysForEpochs } }),
});

export async function retainedEpochsAreNoMoreThanAsked(lib: Library): Promise<void> {
  for (const retained of [0, 1, 2]) {
    const [alice, bob] = await pair(lib);
    bob.state = retaining(bob.state, retained);
    let spent: readonly unknown[] = [];
    for (let round = 0; round < 4; round++) {
      const result = await bob.follow((await alice.commit([])).commit);
      assert(result.kind === 'newState');
      spent = result.consumed;
    }
    assert.equal(bob.state.historicalReceiverData.size, retained);
    // The init secret and the ratchets of three nodes.
    assert.equal(spent.length, 1 + 2 * 3);
    assert(spent.every((secret) => secret instanceof Uint8Array && secret.length === 32));
  }
}

export async function aPromisedRefusalIsARefusal(lib: Library): Promise<void> {
  const [alice, bob] = await pair(lib);
  const before = bob.authenticator;
  const refuse = async () => 'reject' as const;
  for (const wireAsPublicMessage of [true, false]) {
    const proposal = await lib.createProposal(
      alice.state,
      wireAsPublicMessage,
      { proposalType: 'remove', remove: { removed: 1 } },
      alice.suite,
    );
    const read = onTheWire(proposal.message);
    const told = await lib.processMessage(read, bob.state, emptyPskIndex, refuse, bob.suite);
    assert.deepEqual(told.newState.unappliedProposals, {});
    const { commit } = await new Member(lib, alice.suite, alice.state).commit([], { wireAsPublicMessage });
    const result = await lib.processMessage(onTheWire(commit), bob.state, emptyPskIndex, refuse, bob.suite);
    assert.equal(result.kind === 'newState' && result.actionTaken, 'reject');
    assert.equal(new Member(lib, bob.suite, result.newState).authenticator, before);
  }
}

export async function applicationMessagesTellTheirPlace(lib: Library): Promise<void> {
  const [alice, bob] = await pair(lib);
  const send = async (text: string) => {
    const made = await lib.createApplicationMessage(alice.state, utf8(text), alice.suite, utf8('aad'));
    alice.state = made.newState;
    return { version: 'mls10', wireformat: 'mls_private_message', privateMessage: made.privateMessage } as const;
  };
  const expectPlace = async (message: Awaited<ReturnType<typeof send>>, generation: number, epoch: bigint) => {
    const read = await bob.follow(message);
    assert(read.kind === 'applicationMessage');
    assert.deepEqual([read.senderLeafIndex, read.generation, read.epoch], [0, generation, epoch]);
    assert.equal(Buffer.from(read.aad).toString(), 'aad');
  };
  const [first, second, third] = [await send('one'), await send('two'), await send('three')];
  await expectPlace(second, 1, 1n);
  await expectPlace(first, 0, 1n);
  await bob.follow((await alice.commit([])).commit);
  await expectPlace(third, 2, 1n);
  await expectPlace(await send('four'), 0, 2n);
}

const LEAVES = 8192;

export async function statesOfManyMembersAreEncoded(lib: Library): Promise<void> {
  const [alice] = await pair(lib);
  const [leaf] = alice.state.ratchetTree;
  const nodes = { length: 2 * LEAVES - 1 };
  const large: ClientState = {
    ...alice.state,
    ratchetTree: Array.from(nodes, (_, at) => (at % 2 === 0 ? leaf : undefined)),
    secretTree: Array.from(nodes, () => alice.state.secretTree[0]!),
  };
  const [read] = lib.decodeGroupState(lib.encodeGroupState(large), 0)!;
  assert.equal(read.ratchetTree.length, 2 * LEAVES - 1);
  assert.deepEqual(read.ratchetTree.at(-1), leaf);
}

import {
  createApplicationMessage,
  decodeMlsMessage,
  emptyPskIndex,
  processMessage,
  type ClientState,
  type KeyPackage,
  type MLSMessage,
} from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import { ocmAddress } from '../../src/kernel/address.js';
import { toHex } from '../../src/kernel/bytes.js';
import { keyed, secretsOf } from '../../src/mls/advance-group.js';
import { advance, join } from '../../src/mls/epoch.js';
import { viewOf } from '../../src/mls/group-view.js';
import { succeed } from '../../src/mls/local-group.js';
import {
  clientState,
  type CommonState,
  type KeyedEpoch,
  readEpoch,
  readLeaf,
  readPublic,
  type StoredEpoch,
  writeEpoch,
  writeLeaf,
} from '../../src/mls/stored-state.js';
import { readNext, writeNext } from '../../src/mls/stored-next.js';
import { type Suite, suiteFrom } from '../../src/mls/suite.js';
import { TestDice } from '../support/dice.js';
import { bytes, stories, type Story, type StoryState } from './support/story.js';

const dice = new TestDice('stored-state');
let suite: Suite;
beforeAll(async () => {
  suite = await suiteFrom(dice);
});

interface Stored extends StoredEpoch {
  readonly leaf: Uint8Array;
}

/** As the tables hold it. */
async function store(state: ClientState): Promise<Stored> {
  const leaf = writeLeaf(secretsOf(state), state.ratchetTree);
  return { ...writeEpoch(await keyed(state, suite)), leaf };
}

const load = (stored: Stored): { state: ClientState; groupKey: Uint8Array } => {
  const { common, groupKey } = readEpoch(stored);
  return { state: clientState(common, readLeaf(stored.leaf)), groupKey };
};

/** A send or an opened message: the same epoch, other ratchets. */
const storeAgain = ({ public: _, shared: __, ...rest }: Stored, keyedEpoch: KeyedEpoch): Stored => ({
  ...rest,
  ...writeEpoch(keyedEpoch),
});

async function welcomed({ passive, welcome }: Story): Promise<ClientState> {
  const message = decodeMlsMessage(bytes(passive.key_package), 0)![0] as unknown as { keyPackage: KeyPackage };
  const privateKeys = {
    initPrivateKey: bytes(passive.init_priv),
    hpkePrivateKey: bytes(passive.encryption_priv),
    signaturePrivateKey: bytes(passive.signature_priv),
  };
  return join(bytes(welcome), message.keyPackage, privateKeys, suite);
}

const all = stories();
const told = { epochs: 0, messages: 0 };

describe('histories of another implementation, stored and loaded at every step', () => {
  function expectSame(stored: Stored, expected: StoryState): void {
    const { state, groupKey } = load(stored);
    expect(viewOf(state).epochAuthenticator).toBe(expected.epoch_authenticator);
    expect(toHex(state.groupContext.treeHash)).toBe(expected.tree_hash);
    expect(toHex(groupKey)).toBe(expected.group_key);
    expect(viewOf(state).members.map(({ address }) => address)).toEqual(expected.members.filter((one) => one !== null));
  }

  async function open(stored: Stored, { application = [] }: Story): Promise<Stored> {
    let next = stored;
    const current = Number(load(stored).state.groupContext.epoch);
    for (const { private_message, plaintext } of application.filter(({ epoch }) => epoch === current)) {
      const { state, groupKey } = load(next);
      const message = decodeMlsMessage(bytes(private_message), 0)![0] as MLSMessage & {
        wireformat: 'mls_private_message';
      };
      const result = await processMessage(message, state, emptyPskIndex, () => 'reject', suite);
      expect(toHex((result as { message: Uint8Array }).message)).toBe(plaintext);
      next = storeAgain(next, { common: result.newState, groupKey });
      told.messages += 1;
    }
    return next;
  }

  test.each(all.map((story) => [story.name, story] as const))('%s', async (_, story) => {
    let stored = await store(await welcomed(story));
    expectSame(stored, story.after_join);
    for (const epoch of story.epochs) {
      stored = await open(stored, story);
      const messages = { commit: bytes(epoch.commit), proposals: epoch.proposals.map(bytes) };
      const step = advance(load(stored).state, messages, suite);
      if (epoch.expect === 'refuse') {
        await expect(step).rejects.toThrow('commit.');
        continue;
      }
      const { state, selfRemoved } = await step;
      if (selfRemoved) return;
      stored = await store(state);
      expectSame(stored, epoch);
      told.epochs += 1;
    }
    await open(stored, story);
  });

  test('all of them were seen', () => {
    expect(told).toEqual({ epochs: 410, messages: 100 });
  });
});

describe('what is stored', () => {
  const story = all.find(({ name }) => name.startsWith('application-1'))!;

  async function afterSome(): Promise<{ state: ClientState; stored: Stored }> {
    let state = await welcomed(story);
    for (const epoch of story.epochs.slice(0, 2)) {
      const messages = { commit: bytes(epoch.commit), proposals: epoch.proposals.map(bytes) };
      ({ state } = await advance(state, messages, suite));
    }
    return { state, stored: await store(state) };
  }

  test('the format of version 1 is this one', async () => {
    const { stored } = await afterSome();
    expect({ public: toHex(stored.public), shared: toHex(stored.shared), leaf: toHex(stored.leaf) }).toMatchSnapshot();
  });

  test('what was read is written back as it was', async () => {
    const { stored } = await afterSome();
    const { common, groupKey } = readEpoch(stored);
    expect(writeEpoch({ common, groupKey })).toEqual({ public: stored.public, shared: stored.shared });
    expect(writeLeaf(readLeaf(stored.leaf), common.ratchetTree)).toEqual(stored.leaf);
  });

  test('a leaf with an Update under way has a form of its own, and takes the other one again after it', async () => {
    const { state, stored } = await afterSome();
    const update = { ref: 'ab01', privateKey: new Uint8Array(32).fill(9) };
    const leaf = { ...secretsOf(state), update };
    const written = writeLeaf(leaf, state.ratchetTree);
    expect(toHex(written)).toMatchSnapshot();
    expect(readLeaf(written)).toEqual({ ...readLeaf(stored.leaf), update });
    expect(() => readLeaf(written.slice(0, -1))).toThrow('codec.malformed');
    expect(clientState(state, leaf)).not.toHaveProperty('update');
    expect(writeLeaf(secretsOf(clientState(state, leaf)), state.ratchetTree)).toEqual(stored.leaf);
  });

  test('R-158 the exporter secret and other keys that have done their work are not stored', async () => {
    const state = await welcomed(story);
    const { exporterSecret, externalSecret, confirmationKey } = state.keySchedule;
    const secrets = [exporterSecret, externalSecret, confirmationKey].map(toHex);
    const stored = await store(state);
    for (const secret of secrets) expect(toHex(stored.shared)).not.toContain(secret);
    expect(toHex(exporterSecret)).toBe('00'.repeat(32));
  });

  test('the public part tells no secret', async () => {
    const { state, stored } = await afterSome();
    const { epochAuthenticator, ...keys } = state.keySchedule;
    const ratchets = state.secretTree.map(({ application }) => application.secret);
    const nodes = Object.values(state.privatePath.privateKeys);
    const text = toHex(stored.public);
    expect(text).toContain(toHex(epochAuthenticator));
    for (const secret of [...Object.values(keys), ...ratchets, ...nodes, state.signaturePrivateKey]) {
      if (secret.length > 0) expect(text).not.toContain(toHex(secret));
    }
    expect(readPublic(stored.public).groupContext).toEqual(state.groupContext);
  });

  test('ratchets of members only, and none for handshakes', async () => {
    const { state, stored } = await afterSome();
    const { common } = readEpoch(stored);
    expect(common.secretTree.length).toBe(state.secretTree.length);
    for (const [index, node] of common.secretTree.entries()) {
      const member = index % 2 === 0 && state.ratchetTree[index] !== undefined;
      expect(node.application).toEqual(
        member
          ? state.secretTree[index]!.application
          : { secret: new Uint8Array(), generation: 0, unusedGenerations: {} },
      );
      expect(node.handshake.secret.length).toBe(0);
    }
  });

  test('keys of nodes that have become blank are not', async () => {
    const { state } = await afterSome();
    const stale = { ...state.privatePath, privateKeys: { ...state.privatePath.privateKeys, 9_999: dice.bytes(32) } };
    const leaf = readLeaf(writeLeaf({ ...secretsOf(state), privatePath: stale }, state.ratchetTree));
    expect(Object.keys(leaf.privatePath.privateKeys)).not.toContain('9999');
    expect(leaf.privatePath.leafIndex).toBe(state.privatePath.leafIndex);
  });

  test('another version, a cut, a tail and parts of two states are refused', async () => {
    const { stored } = await afterSome();
    for (const part of ['public', 'shared'] as const) {
      const broken = (change: Uint8Array) => () => readEpoch({ ...stored, [part]: change });
      expect(broken(new Uint8Array([2, ...stored[part].slice(1)]))).toThrow('codec.malformed');
      expect(broken(new Uint8Array([...stored[part], 0]))).toThrow('codec.malformed');
      expect(broken(stored[part].slice(0, -1))).toThrow();
      expect(broken(new Uint8Array())).toThrow('codec.malformed');
    }
    expect(() => readEpoch({ ...stored, shared: stored.leaf })).toThrow('codec.malformed');
    expect(() => readLeaf(stored.shared)).toThrow('codec.malformed');
  });

  test('a state that waits comes back without the epochs before it, and gets them from the state it follows', async () => {
    const { state, stored } = await afterSome();
    const { common, groupKey } = readEpoch(stored);
    const leaves = [{ address: ocmAddress('a@a.test'), secrets: readLeaf(stored.leaf) }];
    const next = readNext(writeNext({ common, groupKey, leaves }));
    expect(next.common.historicalReceiverData.size).toBe(0);
    expect(next.leaves).toEqual(leaves);
    const older: CommonState = { ...common, groupContext: { ...common.groupContext, epoch: 1n } };
    const merged = succeed(older, next.common);
    expect([...merged.historicalReceiverData.keys()]).toEqual([1n]);
    expect(merged.historicalReceiverData.get(1n)!.secretTree).toBe(older.secretTree);
    expect(merged.groupContext).toEqual(state.groupContext);
  });
});

test('an application message can be sent from a loaded state', async () => {
  const stored = await store(await welcomed(all[0]!));
  const { state } = load(stored);
  const sent = await createApplicationMessage(state, new Uint8Array([1]), suite);
  const again = load(storeAgain(stored, { common: sent.newState, groupKey: new Uint8Array(16) })).state;
  const own = 2 * state.privatePath.leafIndex;
  expect(again.secretTree[own]!.application.generation).toBe(1);
});

import {
  decodeMlsMessage,
  encodeGroupState,
  processMessage,
  emptyPskIndex,
  type ClientState,
  type KeyPackage,
} from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../src/kernel/bytes.js';
import { isFault } from '../../src/kernel/fault.js';
import { COMMIT_CHECKS } from '../../src/mls/commit-policy.js';
import { advance, join, readHead } from '../../src/mls/epoch.js';
import { federatedGroupExtension, requireFederatedGroup } from '../../src/mls/federated-group.js';
import { groupKey } from '../../src/mls/group-key.js';
import { viewOf } from '../../src/mls/group-view.js';
import { followPublicly, type PublicGroup } from '../../src/mls/public-group.js';
import { type Suite, suiteFrom } from '../../src/mls/suite.js';
import { TestDice } from '../support/dice.js';
import { inBytes, publicPartOf } from './support/crowd.js';
import { bytes, stories, type Story, type StoryEpoch, type StoryState } from './support/story.js';

const seen = { apply: 0, removed: 0, refuse: 0, messages: 0, followed: 0, outside: 0 };
const rules = new Map<string, number>();

/** Group histories that were made with mlspp alone: see `test/vectors/README.md`. */
describe('histories of another implementation', () => {
  let suite: Suite;
  beforeAll(async () => {
    suite = await suiteFrom(new TestDice('vectors'));
  });

  async function joined({ passive, welcome }: Story): Promise<ClientState> {
    const message = decodeMlsMessage(bytes(passive.key_package), 0)![0] as unknown as { keyPackage: KeyPackage };
    const privateKeys = {
      initPrivateKey: bytes(passive.init_priv),
      hpkePrivateKey: bytes(passive.encryption_priv),
      signaturePrivateKey: bytes(passive.signature_priv),
    };
    return join(bytes(welcome), message.keyPackage, privateKeys, suite);
  }

  async function expectSame(state: ClientState, told: StoryState): Promise<void> {
    const view = viewOf(state);
    const roster = told.members.flatMap((address, leafIndex) => (address === null ? [] : [{ leafIndex, address }]));
    const extension = federatedGroupExtension(requireFederatedGroup(state.groupContext.extensions)).extensionData;
    expect({
      epoch: view.epoch,
      epoch_authenticator: view.epochAuthenticator,
      tree_hash: toHex(state.groupContext.treeHash),
      group_key: toHex(await groupKey(state, suite)),
      extension: toHex(extension),
      members: view.members,
    }).toEqual({
      epoch: told.epoch,
      epoch_authenticator: told.epoch_authenticator,
      tree_hash: told.tree_hash,
      group_key: told.group_key,
      extension: told.extension,
      members: roster,
    });
  }

  async function follow(state: ClientState, told: StoryEpoch): Promise<ClientState> {
    const received = { commit: bytes(told.commit), proposals: told.proposals.map(bytes) };
    const before = toHex(encodeGroupState(state));
    expect(readHead(received.commit)).toMatchObject({ kind: 'commit', epoch: viewOf(state).epoch });
    if (told.expect === 'refuse') {
      const refusal: unknown = await advance(state, received, suite).catch((error: unknown) => error);
      const check = COMMIT_CHECKS.find(({ fault }) => isFault(refusal, fault));
      expect(check?.id, String(refusal)).toBe(told.rule);
      expect(toHex(encodeGroupState(state))).toBe(before);
      rules.set(told.rule!, (rules.get(told.rule!) ?? 0) + 1);
      return state;
    }
    const advanced = await advance(state, received, suite);
    expect(toHex(encodeGroupState(state))).toBe(before);
    expect(advanced.facts.committer).toBe(told.committer);
    expect(advanced.selfRemoved).toBe(told.expect === 'removed');
    expect(advanced.state.unappliedProposals).toEqual({});
    if (told.expect === 'removed') {
      expect(advanced.facts.removed).toContain(ownAddress(state));
    } else {
      await expectSame(advanced.state, told);
      expect(advanced.facts.after).toEqual(viewOf(advanced.state));
    }
    return advanced.state;
  }

  /** The same without any secret: somebody who was given the public state once, and sees the Commits. */
  async function followOutside(group: PublicGroup, told: StoryEpoch): Promise<PublicGroup> {
    const received = { commit: bytes(told.commit), proposals: told.proposals.map(bytes) };
    if (told.expect === 'refuse') {
      const refusal: unknown = await followPublicly(group, received, suite).catch((error: unknown) => error);
      expect(COMMIT_CHECKS.find(({ fault }) => isFault(refusal, fault))?.id, String(refusal)).toBe(told.rule);
      return group;
    }
    const { intent, next } = await followPublicly(group, received, suite);
    expect(intent.committer?.address).toBe(told.committer);
    expect(Number(next.groupContext.epoch)).toBe(Number(group.groupContext.epoch) + 1);
    // Of the epoch after its removal the passive member's history tells nothing.
    if (told.expect === 'apply') expect(toHex(next.groupContext.treeHash)).toBe(told.tree_hash);
    seen.outside += 1;
    return next;
  }

  async function open(state: ClientState, { application = [] }: Story): Promise<ClientState> {
    let next = state;
    for (const told of application.filter(({ epoch }) => epoch === Number(state.groupContext.epoch))) {
      const message = decodeMlsMessage(bytes(told.private_message), 0)![0];
      if (message.wireformat !== 'mls_private_message') throw new Error('not a PrivateMessage');
      const result = await processMessage(message, next, emptyPskIndex, () => 'reject', suite);
      if (result.kind !== 'applicationMessage') throw new Error('not an application message');
      const sender = viewOf(next).members.find(({ leafIndex }) => leafIndex === result.senderLeafIndex);
      expect({
        epoch: Number(result.epoch),
        sender: sender?.address,
        generation: result.generation,
        plaintext: toHex(result.message),
      }).toEqual({
        epoch: told.epoch,
        sender: told.sender,
        generation: told.generation,
        plaintext: told.plaintext,
      });
      next = result.newState;
      seen.messages += 1;
    }
    return next;
  }

  const ownAddress = (state: ClientState) =>
    viewOf(state).members.find(({ leafIndex }) => leafIndex === state.privatePath.leafIndex)?.address;

  test.each(stories().map((story) => [story.name, story] as const))('%s', async (_, story) => {
    let state = await joined(story);
    let outside = publicPartOf(state);
    await expectSame(state, story.after_join);
    expect(ownAddress(state)).toBe(story.passive.identity);
    for (const told of story.epochs) {
      state = await open(state, story);
      outside = await followOutside(outside, told);
      state = await follow(state, told);
      if (told.expect === 'apply') expect(inBytes(outside)).toEqual(inBytes(state));
      seen[told.expect] += 1;
    }
    await open(state, story);
    seen.followed += 1;
  });

  test('all of them were seen', () => {
    const named = [...rules].map(([rule, count]) => `${rule} ${count}`).sort();
    console.log(
      `${seen.followed} stories: ${seen.apply} Commits applied, ${seen.removed} removals recognised, ` +
        `${seen.refuse} refused (${named.join(', ')}), ${seen.messages} application messages opened, ` +
        `${seen.outside} Commits followed without secrets`,
    );
    expect(seen).toEqual({ followed: 68, apply: 410, removed: 7, refuse: 22, messages: 100, outside: 417 });
  });
});

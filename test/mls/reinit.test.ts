import type { ClientState, GroupInfo, Reinit } from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FaultCode } from '../../src/kernel/fault.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { isJoinable, reinitAs, type Succession, SUCCESSION_CHECKS, verifySuccession } from '../../src/mls/reinit.js';
import { createSuccessor } from '../../src/mls/epoch.js';
import { REQUIRED_CAPABILITIES } from '../../src/mls/federated-group.js';
import { leavesOf } from '../../src/mls/roster.js';
import { SUITE_NAME } from '../../src/mls/suite.js';
import { fellow, type Fellowship, NOW } from './support/fellows.js';
import { groupOf, LABEL, standing } from './support/refusals.js';

const NEXT = new Uint8Array(32).fill(9);

describe('R-149 R-150 R-151 what claims to take the place of a group', () => {
  let group: Fellowship;
  let sound: Succession;
  beforeAll(async () => {
    group = await standing();
    await group.commit('bob', { successor: NEXT });
    const old = group.state('alice');
    const others = await Promise.all(['bob', 'carol', 'dave'].map((name) => fellow(name, group.suite)));
    const creator = await fellow('alice', group.suite);
    const order = { creator, members: others.map(({ keyPackage }) => keyPackage), nonce: new Uint8Array(32), now: NOW };
    const { state } = await createSuccessor(old, order, group.suite);
    const { groupId: pskGroupId, epoch: pskEpoch } = old.groupContext;
    sound = {
      old,
      psk: { psktype: 'resumption', usage: 'reinit', pskGroupId, pskEpoch, pskNonce: new Uint8Array(32) },
      groupInfo: {
        groupContext: state.groupContext,
        extensions: [],
        confirmationTag: state.confirmationTag,
        signer: 0,
        signature: new Uint8Array(),
      },
      tree: state.ratchetTree,
    };
  });

  const announcing = (old: ClientState, change: Partial<Reinit>): ClientState => {
    const { reinit } = old.groupActiveState as { reinit: Reinit };
    return { ...old, groupActiveState: { kind: 'suspendedPendingReinit', reinit: { ...reinit, ...change } } };
  };
  const saying = (info: GroupInfo, change: Partial<GroupInfo['groupContext']>): GroupInfo => ({
    ...info,
    groupContext: { ...info.groupContext, ...change },
  });

  test('is joined when it is what the group announced', () => {
    expect(() => verifySuccession(sound)).not.toThrow();
  });

  const broken: [string, string, FaultCode, () => Partial<Succession>][] = [
    [
      'R-150',
      'the last Commit of the old group holds no ReInit',
      'welcome.not-announced',
      () => ({
        old: { ...sound.old, groupActiveState: { kind: 'active' } },
      }),
    ],
    ['R-150', 'the PSK is of another epoch', 'welcome.not-announced', () => ({ psk: { ...sound.psk, pskEpoch: 1n } })],
    [
      'R-150',
      'the PSK is of another group',
      'welcome.not-announced',
      () => ({
        psk: { ...sound.psk, pskGroupId: utf8('other') },
      }),
    ],
    ['R-150', 'the PSK is for a branch', 'welcome.not-announced', () => ({ psk: { ...sound.psk, usage: 'branch' } })],
    [
      'R-150',
      'it has another group_id',
      'welcome.not-announced',
      () => ({
        groupInfo: saying(sound.groupInfo, { groupId: utf8('other') }),
      }),
    ],
    [
      'R-150',
      'it is past its first epoch',
      'welcome.not-announced',
      () => ({
        groupInfo: saying(sound.groupInfo, { epoch: 2n }),
      }),
    ],
    [
      'R-150',
      'it has another suite',
      'welcome.not-announced',
      () => ({
        groupInfo: saying(sound.groupInfo, { cipherSuite: 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256' }),
      }),
    ],
    [
      'R-150',
      'it has other admins than announced',
      'welcome.not-announced',
      () => ({
        groupInfo: saying(sound.groupInfo, { extensions: [REQUIRED_CAPABILITIES, groupOf(LABEL, 'bob', 'alice')] }),
      }),
    ],
    [
      'R-150',
      'it lacks an extension',
      'welcome.not-announced',
      () => ({
        groupInfo: saying(sound.groupInfo, { extensions: [groupOf(LABEL, 'alice', 'bob')] }),
      }),
    ],
    [
      'R-151',
      'it has another address, even if that was announced',
      'welcome.moves-label',
      () => {
        const extensions = [groupOf('other@l.test', 'alice', 'bob')];
        return { old: announcing(sound.old, { extensions }), groupInfo: saying(sound.groupInfo, { extensions }) };
      },
    ],
    [
      'R-149',
      'it was made by a member who was no admin',
      'welcome.not-by-admin',
      () => {
        const extensions = [REQUIRED_CAPABILITIES, groupOf(LABEL, 'bob')];
        return { old: { ...sound.old, groupContext: { ...sound.old.groupContext, extensions } } };
      },
    ],
    [
      'R-149',
      'somebody else than who made it invites',
      'welcome.not-by-admin',
      () => ({
        groupInfo: { ...sound.groupInfo, signer: 1 },
      }),
    ],
    [
      'R-147',
      'a member is missing',
      'welcome.members-differ',
      () => ({
        tree: sound.tree.map((node, at) => (at === 2 ? undefined : node)),
      }),
    ],
    [
      'R-147',
      'somebody is in it who was no member',
      'welcome.members-differ',
      () => ({
        old: { ...sound.old, ratchetTree: sound.old.ratchetTree.map((node, at) => (at === 2 ? undefined : node)) },
      }),
    ],
  ];
  test.each(broken)('%s is refused when %s', (id, _, fault, change) => {
    expect(SUCCESSION_CHECKS.find((one) => one.id === id)?.fault).toBe(fault);
    expect(() => verifySuccession({ ...sound, ...change() })).toThrow(
      expect.objectContaining({ code: fault, facts: expect.objectContaining({ check: id }) as object }),
    );
  });

  test('each check is seen to break', () => {
    expect(new Set(broken.map(([id]) => id))).toEqual(new Set(SUCCESSION_CHECKS.map(({ id }) => id)));
  });

  test('only what all members can follow into is announced', () => {
    const proposal = reinitAs(group.state('carol'), NEXT);
    const { reinit } = proposal as { reinit: Reinit };
    const members = leavesOf(group.state('carol').ratchetTree);
    const joinable = (change: Partial<Reinit>) => isJoinable({ ...reinit, ...change }, members);
    expect(joinable({})).toBe(true);
    expect(joinable({ extensions: [groupOf(LABEL, 'bob')] })).toBe(true);
    expect(joinable({ extensions: [groupOf(LABEL)] })).toBe(false);
    expect(joinable({ extensions: [groupOf(LABEL, 'alice', 'erin')] })).toBe(false);
    expect(joinable({ extensions: [groupOf(LABEL, 'bob', 'bob')] })).toBe(false);
    const unknown = { extensionType: 0xf0cb, extensionData: new Uint8Array() };
    expect(joinable({ extensions: [...reinit.extensions, unknown] })).toBe(false);
    expect(joinable({ cipherSuite: 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256' })).toBe(false);
    expect(joinable({ cipherSuite: SUITE_NAME })).toBe(true);
  });
});

import { bytesToBase64, createCommit, makePskIndex, type ClientState, type Proposal } from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../src/kernel/bytes.js';
import { mlsGroupId } from '../../src/kernel/ids.js';
import { createSuccessor, join, welcomeOrigin } from '../../src/mls/epoch.js';
import { clientConfig } from '../../src/mls/client-config.js';
import { groupKey } from '../../src/mls/group-key.js';
import { viewOf } from '../../src/mls/group-view.js';
import { writeWelcome } from '../../src/mls/mls-message.js';
import type { Successor } from '../../src/mls/successor.js';
import { address, expectFault, type Fellow, fellow, Fellowship, NOW } from './support/fellows.js';
import { LABEL, standing } from './support/refusals.js';

const NEXT = new Uint8Array(32).fill(9);

describe('a group that is reinitialised', () => {
  let group: Fellowship;
  let fellows: Map<string, Fellow>;
  let next: Successor;
  beforeAll(async () => {
    group = await standing();
    await group.commit('alice', { successor: NEXT });
    const names = ['alice', 'bob', 'carol', 'dave'];
    fellows = new Map(await Promise.all(names.map(async (name) => [name, await fellow(name, group.suite)] as const)));
    next = await create('alice', ['bob', 'carol', 'dave']);
  });

  const create = (by: string, others: readonly string[], old = group.state(by)) =>
    createSuccessor(
      old,
      {
        creator: fellows.get(by)!,
        members: others.map((name) => fellows.get(name)!.keyPackage),
        nonce: new Uint8Array(32),
        now: NOW,
      },
      group.suite,
    );
  const enter = (name: string, old: ClientState | undefined = group.state(name), { welcome } = next) => {
    const { keyPackage, privateKeys } = fellows.get(name)!;
    return join(welcome!, keyPackage, privateKeys, group.suite, old);
  };

  test('R-142 R-143 R-144 is ended by a ReInit alone, which tells its successor and keeps address and admins', () => {
    const { successor, ...view } = group.view('dave');
    expect(successor).toBe(mlsGroupId(NEXT));
    expect(view).toMatchObject({ epoch: 2, address: LABEL, admins: ['alice', 'bob'].map(address) });
    const states = [...group.states.values()].map(({ groupActiveState }) => groupActiveState.kind);
    expect(new Set(states)).toEqual(new Set(['suspendedPendingReinit']));
  });

  test('R-146 R-150 goes on as its successor: the same people under the same address, in one epoch with one key', async () => {
    const states = [next.state, await enter('bob'), await enter('carol'), await enter('dave')];
    const keys = await Promise.all(states.map(async (state) => toHex(await groupKey(state, group.suite))));
    expect(new Set(keys).size).toBe(1);
    expect(new Set(states.map((state) => viewOf(state).epochAuthenticator)).size).toBe(1);
    const { mlsGroupId: id, epoch, address: label, admins, members } = viewOf(states[1]!);
    expect([id, epoch, label]).toEqual([mlsGroupId(NEXT), 1, LABEL]);
    expect(admins).toEqual(group.view('bob').admins);
    expect(members.map((member) => member.address)).toEqual(['alice', 'bob', 'carol', 'dave'].map(address));
  });

  test('R-146 its Welcome names the old group and its last epoch, and opens only with the resumption PSK of it', async () => {
    const { keyPackage, privateKeys } = fellows.get('dave')!;
    const origin = await welcomeOrigin(next.welcome!, keyPackage, privateKeys, group.suite);
    expect(origin).toEqual({ mlsGroupId: group.view('dave').mlsGroupId, epoch: 2 });
    const old = group.state('dave');
    const keySchedule = { ...old.keySchedule, resumptionPsk: new Uint8Array(32) };
    await expectFault(enter('dave', { ...old, keySchedule }), 'welcome.unopenable');
    const stranger = await join(next.welcome!, keyPackage, privateKeys, group.suite).catch((error: unknown) => error);
    expect(stranger).toMatchObject({ code: 'welcome.unopenable' });
  });

  test('R-150 its successor is not joined from a group that announced another one, or none', async () => {
    const before = await standing();
    await expectFault(enter('dave', { ...before.state('dave'), keySchedule: old().keySchedule }), 'welcome.unopenable');
    await expectFault(enter('dave', { ...old(), groupActiveState: { kind: 'active' } }), 'welcome.not-announced');
  });
  const old = () => group.state('dave');

  test('R-146 R-147 a successor is made by an admin, of exactly the members of a group that announced one', async () => {
    await expectFault(create('carol', ['alice', 'bob', 'dave']), 'welcome.not-by-admin');
    await expectFault(create('alice', ['bob', 'carol']), 'welcome.members-differ');
    fellows.set('erin', await fellow('erin', group.suite));
    await expectFault(create('alice', ['bob', 'carol', 'erin']), 'welcome.members-differ');
    const active = { ...group.state('alice'), groupActiveState: { kind: 'active' } } as const;
    await expectFault(create('alice', ['bob', 'carol', 'dave'], active), 'group.not-suspended');
  });

  test('a Welcome that asks for any other key is refused', async () => {
    const other = await Fellowship.of(['xavier']);
    const yves = await fellow('yves', other.suite);
    const id = new Uint8Array(8).fill(1);
    const preSharedKeyId = { psktype: 'external', pskId: id, pskNonce: new Uint8Array(32) } as const;
    const proposals: Proposal[] = [
      { proposalType: 'add', add: { keyPackage: yves.keyPackage } },
      { proposalType: 'psk', psk: { preSharedKeyId } },
    ];
    const pskIndex = makePskIndex(undefined, { [bytesToBase64(id)]: new Uint8Array(32) });
    const state = { ...other.state('xavier'), clientConfig: clientConfig(NOW) };
    const { welcome } = await createCommit(
      { state, pskIndex, cipherSuite: other.suite },
      { ratchetTreeExtension: true, extraProposals: proposals },
    );
    const joining = join(writeWelcome(welcome!), yves.keyPackage, yves.privateKeys, other.suite);
    await expectFault(joining, 'welcome.psk-not-provided');
  });
});

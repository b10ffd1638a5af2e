import { createProposal, encodeMlsMessage, type Proposal } from 'ts-mls';
import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { toBase64url } from '../../src/kernel/bytes.js';
import { proposeRemove } from '../../src/mls/epoch.js';
import { federatedGroupExtension, REQUIRED_CAPABILITIES, written } from '../../src/mls/federated-group.js';
import type { GroupPicture, Person } from '../support/cast.js';
import { agree, federationOf } from './agreement.js';
import { labOfThree, notice, stateOn, tell } from './forgery.js';

const [a, b] = [host('a.test'), host('b.test')];
const externalPsk = { psktype: 'external', pskId: new Uint8Array(8), pskNonce: new Uint8Array(32) } as const;

const leafOf = ({ members }: GroupPicture, { address }: Person): number =>
  members.find((member) => member.address === address)!.leafIndex;

test('R-058 R-075 what a member proposes an admin approves, and nothing of it is committed before', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const [bella] = await world.users('bella@b.test');
  const asked = [await bob.add(lab, bella), await bob.remove(lab, charlie), await bob.appoint(lab, bob)];
  await world.pass(24 * 3_600_000);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 1, admins: ['alice@a.test'] });
  const inbox = await alice.approvals();
  expect(inbox.map(({ kind, subject, proposer }) => `${kind} ${subject} for ${proposer}`).toSorted()).toEqual([
    'add bella@b.test for bob@b.test',
    'appoint bob@b.test for bob@b.test',
    'remove charlie@c.test for bob@b.test',
  ]);
  for (const approval of inbox) expect(await alice.approve(approval)).toMatchObject({ state: 'approved' });
  await world.settle();
  const { members, admins } = await agree(lab, alice, bob, bella);
  expect(members.map(({ address }) => address).toSorted()).toEqual(['alice@a.test', 'bella@b.test', 'bob@b.test']);
  expect(admins).toEqual(['alice@a.test', 'bob@b.test']);
  for (const change of asked) expect(await bob.change(change)).toMatchObject({ state: 'done', code: null });
  expect(await alice.approvals()).toEqual([]);
});

test('D-12 an approved Add brings a KeyPackage that the server of the admin has fetched, not the proposed one', async () => {
  const { world, lab, alice, bob } = await labOfThree();
  await using _ = world;
  const [bella] = await world.users('bella@b.test');
  await bob.add(lab, bella);
  await world.settle();
  const fetches = () => world.network.sent({ from: a, to: b, what: '/ocm/mls-key-packages' }).length;
  const before = fetches();
  const [approval] = await alice.approvals();
  const { change } = await alice.approve(approval!);
  await world.settle();
  expect(await alice.change({ id: change! })).toMatchObject({ kind: 'add', state: 'done', tries: 1 });
  expect(await bella.members(lab)).toHaveLength(4);
  expect(fetches()).toBe(before + 1);
  const [commit] = world.network.sent({ from: a, to: b, what: 'MLS_COMMIT' }).slice(-1);
  expect(federationOf(commit!)).not.toHaveProperty('proposals');
});

test('R-014 D-13 what a Commit did not bring is proposed anew and stays one; whichever admin server approves it, it is done once', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const [cleo] = await world.users('cleo@c.test');
  await alice.appoint(lab, bob);
  await world.settle();
  const asked = await charlie.add(lab, cleo);
  await world.settle();
  const [first] = await alice.approvals();
  expect(await bob.approvals()).toMatchObject([{ kind: 'add', subject: cleo.address, proposer: charlie.address }]);
  const [anna] = await world.users('anna@a.test');
  await alice.add(lab, anna);
  await world.settle();
  await world.pass(2 * 3_600_000);
  expect(await alice.approvals()).toMatchObject([{ id: first!.id, kind: 'add' }]);
  const [onB] = await bob.approvals();
  await bob.approve(onB!);
  await world.settle();
  await agree(lab, alice, bob, charlie, cleo);
  expect(await charlie.change(asked)).toMatchObject({ state: 'done' });
  expect(await alice.approvals('fulfilled')).toMatchObject([{ id: first!.id }]);
  await expect(alice.approve(first!)).rejects.toThrow('approval.decided');
});

test('D-13 a decline is told when it is proposed anew; what is withdrawn lapses after the next Commit', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const [declined, withdrawn] = [await bob.appoint(lab, bob), await bob.remove(lab, charlie)];
  await world.settle();
  const [first, second] = await alice.approvals();
  expect(first).toMatchObject({ kind: 'appoint' });
  await alice.decline(first!, 'not yet');
  expect(await bob.withdraw(withdrawn)).toMatchObject({ state: 'withdrawn' });
  await world.settle();
  expect(await bob.change(declined)).toMatchObject({ state: 'proposed' });
  const [anna] = await world.users('anna@a.test');
  await alice.add(lab, anna);
  await world.settle();
  expect(await bob.change(declined)).toMatchObject({ state: 'refused', code: 'change.declined' });
  expect(await alice.approvals()).toMatchObject([{ id: second!.id }]);
  await world.pass(2 * 3_600_000);
  expect(await alice.approvals()).toEqual([]);
  expect(await alice.approvals('lapsed')).toMatchObject([{ id: second!.id }]);
  expect(await agree(lab, alice, anna, bob, charlie)).toMatchObject({ epoch: 2, admins: ['alice@a.test'] });
});

test('R-064 R-077 a proposal that no admin could commit is refused when it comes, and holds up no other mail', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const { state, suite } = await stateOn(world, 'b.test', mlsGroupId, bob.address);
  const group = (label: string, ...admins: string[]): Proposal => ({
    proposalType: 'group_context_extensions',
    groupContextExtensions: {
      extensions: [
        REQUIRED_CAPABILITIES,
        federatedGroupExtension({ groupAddress: written(label), admins: admins.map(written) }),
      ],
    },
  });
  const refused: [Proposal, object][] = [
    [
      { proposalType: 'remove', remove: { removed: leafOf(await bob.sees(lab), alice) } },
      { status: 409, code: 'proposal.last-admin' },
    ],
    [group(lab), { status: 409, code: 'proposal.last-admin' }],
    [group(lab, alice.address), { status: 409, code: 'proposal.holds-already' }],
    [group('other@a.test', alice.address), { status: 403, code: 'proposal.breaks-policy' }],
    [group(lab, alice.address, 'eve@e.test'), { status: 403, code: 'proposal.breaks-policy' }],
    [
      { proposalType: 'psk', psk: { preSharedKeyId: externalPsk } },
      { status: 403, code: 'proposal.breaks-policy' },
    ],
  ];
  for (const [proposal, answer] of refused) {
    const { message } = await createProposal(state, true, proposal, suite);
    const content = toBase64url(encodeMlsMessage(message));
    const told = notice('MLS_PROPOSAL', 'b.test', { mlsGroupId, content });
    expect(await tell(world, 'b.test', 'a.test', told)).toMatchObject(answer);
  }
  expect(await alice.approvals()).toEqual([]);
  await bob.leave(lab);
  await world.settle();
  expect(await agree(lab, alice, charlie)).toMatchObject({ epoch: 2, members: [{}, {}] });
});

test('a proposal is taken once from the home server of its sender, in its own epoch', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const { state, suite } = await stateOn(world, 'b.test', mlsGroupId, bob.address);
  const content = toBase64url(await proposeRemove(state, leafOf(await bob.sees(lab), bob), suite));
  const leave = (from: string) => notice('MLS_PROPOSAL', from, { mlsGroupId, content });
  expect(await tell(world, 'c.test', 'a.test', leave('c.test'))).toMatchObject({ code: 'proposal.not-from-home' });
  expect(await tell(world, 'b.test', 'c.test', leave('b.test'))).toMatchObject({ code: 'proposal.not-admin-server' });
  expect(await tell(world, 'b.test', 'a.test', leave('b.test'))).toMatchObject({ status: 201 });
  expect(await tell(world, 'b.test', 'a.test', leave('b.test'))).toMatchObject({ status: 201 });
  await world.settle();
  expect(await agree(lab, alice, charlie)).toMatchObject({ epoch: 2 });
  expect(await tell(world, 'b.test', 'a.test', leave('b.test'))).toMatchObject({ status: 409, code: 'proposal.stale' });
});

import { createProposal, encodeMlsMessage, type Proposal } from 'ts-mls';
import { expect, test } from 'vitest';
import { toBase64url } from '../../src/kernel/bytes.js';
import { proposeRemove } from '../../src/mls/epoch.js';
import { federatedGroupExtension, written } from '../../src/mls/federated-group.js';
import { KeyPackageClient } from '../../src/mls/key-package.client.js';
import { readKeyPackage } from '../../src/mls/key-package.js';
import type { GroupPicture, Person } from '../support/cast.js';
import { agree } from './agreement.js';
import { labOfThree, notice, stateOn, tell } from './forgery.js';

const leafOf = ({ members }: GroupPicture, { address }: Person): number =>
  members.find((member) => member.address === address)!.leafIndex;

test('R-058 R-075 what no admin asked for is not committed: proposals of members are not approvals', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await expect(bob.add(lab, 'eve@b.test')).rejects.toThrow('change.not-admin');
  await expect(bob.remove(lab, charlie)).rejects.toThrow('change.not-admin');
  await expect(bob.appoint(lab, bob)).rejects.toThrow('change.not-admin');
  const [bella] = await world.users('bella@b.test');
  const { state, suite } = await stateOn(world, 'b.test', mlsGroupId, bob.address);
  const keyPackage = readKeyPackage(await world.server('b.test').get(KeyPackageClient).fetch(bella.address));
  const withBob = federatedGroupExtension({
    groupAddress: written(lab),
    admins: [alice, bob].map(({ address }) => written(address)),
  });
  const wishes: Proposal[] = [
    { proposalType: 'add', add: { keyPackage } },
    { proposalType: 'remove', remove: { removed: leafOf(await bob.sees(lab), charlie) } },
    { proposalType: 'group_context_extensions', groupContextExtensions: { extensions: [withBob] } },
  ];
  for (const wish of wishes) {
    const { message } = await createProposal(state, true, wish, suite);
    const content = toBase64url(encodeMlsMessage(message));
    const answer = await tell(world, 'b.test', 'a.test', notice('MLS_PROPOSAL', 'b.test', { mlsGroupId, content }));
    expect(answer).toMatchObject({ status: 403, code: 'proposal.unsupported' });
  }
  await world.pass(3_600_000);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch: 1, admins: ['alice@a.test'] });
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

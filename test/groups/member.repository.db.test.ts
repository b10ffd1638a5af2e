import { expect, test } from 'vitest';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { ocmAddress } from '../../src/kernel/address.js';
import { GroupRepository, GroupRow } from '../../src/groups/group.repository.js';
import { MemberRepository, MemberRow } from '../../src/groups/member.repository.js';
import { leaseDatabase } from '../support/database.js';

const lab = 'lab' as MlsGroupId;
const [alice, bob, carol] = ['alice@a.test', 'bob@b.test', 'carol@c.test'].map(ocmAddress) as [never, never, never];
const at = (hour: number) => new Date(hour * 3_600_000);

test('a leaf counts as renewed when it is new, moved or got new keys, and only then', async () => {
  await using database = await leaseDatabase();
  const db = await database.transactions([GroupRow, MemberRow]);
  const [groups, members] = [new GroupRepository(), new MemberRepository()];
  const group = { mlsGroupId: lab, address: ocmAddress('lab@a.test'), epoch: epoch(0), admins: [alice], instance: 1 };
  const roster = (...leaves: [string, number][]) =>
    leaves.map(([address, leafIndex]) => ({ address: ocmAddress(address), leafIndex }));
  const ages = () =>
    db.run(async (tx) => (await members.of(tx, lab)).map(({ address, updatedAt }) => [address, updatedAt]));

  await db.run(async (tx) => {
    await groups.add(tx, { ...group, state: 'active' }, at(1));
    await members.replace(tx, lab, roster([alice, 0], [bob, 1]), at(1));
  });
  await db.run((tx) => members.replace(tx, lab, roster([alice, 0], [bob, 1], [carol, 2]), at(2), [bob]));
  expect(await ages()).toEqual([
    [alice, at(1)],
    [bob, at(2)],
    [carol, at(2)],
  ]);
  await db.run((tx) => members.replace(tx, lab, roster([alice, 0], [carol, 1]), at(3)));
  expect(await ages()).toEqual([
    [alice, at(1)],
    [carol, at(3)],
  ]);
});

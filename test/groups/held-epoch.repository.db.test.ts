import { expect, test } from 'vitest';
import { GroupRepository, GroupRow } from '../../src/groups/group.repository.js';
import { HeldEpochRepository, HeldEpochRow } from '../../src/groups/held-epoch.repository.js';
import type { RosterCopy } from '../../src/groups/member.repository.js';
import { ocmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { leaseDatabase } from '../support/database.js';
import { NO_FEED } from '../support/no-feed.js';

const [lab, attic] = ['lab', 'attic'] as unknown as [MlsGroupId, MlsGroupId];
const at = (hour: number) => new Date(hour * 3_600_000);

test('R-092 a group can go back as long as an epoch of its own is held', async () => {
  await using database = await leaseDatabase();
  const db = await database.transactions([HeldEpochRow, GroupRow]);
  const [held, groups] = [new HeldEpochRepository(), new GroupRepository(NO_FEED)];
  const group = {
    epoch: epoch(2),
    admins: [ocmAddress('alice@a.test')],
    instance: 1,
    history: 0,
    state: 'active',
  } as const;
  await db.run(async (tx) => {
    await groups.add(tx, { ...group, mlsGroupId: lab, address: ocmAddress('lab@a.test') }, at(0));
    await groups.add(tx, { ...group, mlsGroupId: attic, address: ocmAddress('attic@a.test') }, at(0));
    await held.hold(tx, { ...group, mlsGroupId: lab, roster: [] as unknown as RosterCopy }, at(1));
  });
  const may = (mlsGroupId: MlsGroupId, now: Date) => db.run((tx) => held.holdsAny(tx, mlsGroupId, now));
  expect(await may(lab, at(0.9))).toBe(true);
  expect(await may(lab, at(1))).toBe(false);
  expect(await may(attic, at(0.9))).toBe(false);
});

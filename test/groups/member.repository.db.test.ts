import { expect, test } from 'vitest';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { type OcmAddress, ocmAddress } from '../../src/kernel/address.js';
import { GroupRepository, GroupRow } from '../../src/groups/group.repository.js';
import { DepartureRepository } from '../../src/groups/departure.repository.js';
import { MemberRepository, MemberRow } from '../../src/groups/member.repository.js';
import { leaseDatabase } from '../support/database.js';
import { NO_FEED } from '../support/no-feed.js';

const lab = 'lab' as MlsGroupId;
const [alice, bob, carol] = ['alice@a.test', 'bob@b.test', 'carol@c.test'].map(ocmAddress) as [never, never, never];
const at = (hour: number) => new Date(hour * 3_600_000);

test('a leaf counts as renewed when it is new, moved or got new keys, and only then', async () => {
  await using database = await leaseDatabase();
  const db = await database.transactions([GroupRow, MemberRow]);
  const [groups, members] = [new GroupRepository(NO_FEED), new MemberRepository(new DepartureRepository())];
  const group = {
    mlsGroupId: lab,
    address: ocmAddress('lab@a.test'),
    epoch: epoch(0),
    admins: [alice],
    instance: 1,
    history: 0,
  };
  const roster = (...leaves: [string, number][]) =>
    leaves.map(([address, leafIndex]) => ({ address: ocmAddress(address), leafIndex }));
  const ages = () =>
    db.run(async (tx) => (await members.of(tx, lab)).map(({ address, updatedAt }) => [address, updatedAt]));

  await db.run(async (tx) => {
    await groups.add(tx, { ...group, state: 'active' }, at(1));
    await members.replace(tx, lab, roster([alice, 0], [bob, 1]), at(1));
  });
  await db.run((tx) =>
    members.replace(tx, lab, roster([alice, 0], [bob, 1], [carol, 2]), at(2), { added: [], updated: [bob] }),
  );
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

test('a leaf is fresh until it is renewed, and its time is worked out anew whenever it got new keys', async () => {
  await using database = await leaseDatabase();
  const db = await database.transactions([GroupRow, MemberRow]);
  const [groups, members] = [new GroupRepository(NO_FEED), new MemberRepository(new DepartureRepository())];
  const group = {
    mlsGroupId: lab,
    address: ocmAddress('lab@a.test'),
    epoch: epoch(0),
    admins: [alice],
    instance: 1,
    history: 0,
  };
  const roster = [alice, bob].map((address, leafIndex) => ({ address, leafIndex }));
  const enter = (hour: number, renewed: { added?: (typeof bob)[]; updated?: (typeof bob)[] }) =>
    db.run((tx) => members.replace(tx, lab, roster, at(hour), { added: [], updated: [], ...renewed }));
  const unscheduled = () =>
    db.run(async (tx) =>
      (await members.unscheduled(tx, lab))
        .toSorted((one, other) => one.address.localeCompare(other.address))
        .map(({ address, fresh }) => [address, fresh]),
    );
  const due = (hour: number, epochNow = 1) =>
    db.run(async (tx) => (await members.due(tx, lab, at(hour), epoch(epochNow))).map(({ address }) => address));
  const busy = () => db.run((tx) => groups.withAgingLeaf(tx, at(7)));

  await db.run(async (tx) => {
    await groups.add(tx, { ...group, state: 'active' }, at(1));
    await members.replace(tx, lab, roster, at(1));
  });
  expect(await unscheduled()).toEqual([
    [alice, true],
    [bob, true],
  ]);
  expect(await busy()).toBe(lab);
  const times = [alice, bob].map((address, hour) => ({ address, dueAt: at(hour + 5) }));
  await db.run((tx) => members.schedule(tx, lab, times));
  expect(await unscheduled()).toEqual([]);
  expect([await due(4), await due(5), await due(7)]).toEqual([[], [alice], [alice, bob]]);

  await db.run((tx) => members.proposed(tx, lab, [alice], epoch(1)));
  expect([await due(7), await due(7, 2)]).toEqual([[bob], [alice, bob]]);
  await enter(7, {});
  expect(await unscheduled()).toEqual([]);
  await enter(7, { updated: [bob] });
  expect(await unscheduled()).toEqual([[bob, false]]);
  await enter(8, { added: [bob] });
  expect(await unscheduled()).toEqual([[bob, true]]);
});

test('whoever leaves a roster is noted once, however it is changed, and is no more when it is back', async () => {
  await using database = await leaseDatabase();
  const db = await database.transactions([GroupRow, MemberRow]);
  const departures = new DepartureRepository();
  const [groups, members] = [new GroupRepository(NO_FEED), new MemberRepository(departures)];
  const address = ocmAddress('lab@a.test');
  const group = { mlsGroupId: lab, address, epoch: epoch(0), admins: [alice], instance: 1, history: 0 };
  const roster = (...who: readonly OcmAddress[]) => who.map((one, leafIndex) => ({ address: one, leafIndex }));
  const gone = (...now: readonly OcmAddress[]) => db.run((tx) => departures.take(tx, address, now));
  const copy = await db.run(async (tx) => {
    await groups.add(tx, { ...group, state: 'active' }, at(1));
    await members.replace(tx, lab, roster(alice, bob), at(1));
    return members.copy(tx, lab);
  });
  expect(await gone(alice, bob)).toEqual([]);
  await db.run((tx) => members.replace(tx, lab, roster(alice, bob, carol), at(2)));
  await db.run((tx) => members.replace(tx, lab, roster(alice), at(3)));
  expect(await db.run((tx) => departures.of(tx, [address]))).toEqual([bob, carol]);
  await db.run((tx) => members.replace(tx, lab, roster(alice, bob), at(4)));
  expect(await gone(alice, bob)).toEqual([carol]);
  expect(await gone(alice, bob)).toEqual([]);
  // Commits that are taken back.
  await db.run((tx) => members.replace(tx, lab, roster(alice, carol), at(5)));
  await db.run((tx) => members.restore(tx, lab, copy));
  expect(await gone(alice, bob)).toEqual([carol]);
  await db.run((tx) => departures.noteUnseen(tx, lab));
  expect(await db.run((tx) => departures.of(tx, [address]))).toEqual([]);
  expect(await gone(alice, bob)).toBe('anybody');
  expect(await gone(alice, bob)).toEqual([]);
});

import { expect, test } from 'vitest';
import { FollowerRepository, FollowerRow } from '../../src/groups/follower.repository.js';
import { Following } from '../../src/groups/following.service.js';
import { GroupRepository, GroupRow } from '../../src/groups/group.repository.js';
import { ocmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { leaseDatabase } from '../support/database.js';
import { NO_FEED } from '../support/no-feed.js';

const at = new Date(0);
const groupOf = (name: string) => ({
  mlsGroupId: name as MlsGroupId,
  address: ocmAddress(`${name}@a.test`),
  epoch: epoch(0),
  state: 'active' as const,
  admins: [ocmAddress('alice@a.test')],
  instance: 1,
  history: 0,
});

test('a follower is led through each group once an epoch, past those that others hold, and looks without locking', async () => {
  await using database = await leaseDatabase();
  const db = await database.transactions([GroupRow, FollowerRow]);
  const [groups, followers] = [new GroupRepository(NO_FEED), new FollowerRepository()];
  const following = new Following(db, followers, groups);
  const seen: string[] = [];
  const turn = (isDone = true) =>
    following.turn('reader', async (_, { mlsGroupId }) => {
      seen.push(mlsGroupId);
      return isDone;
    });
  expect(await turn()).toBe(false);
  for (const name of ['lab', 'choir']) await db.run((tx) => groups.add(tx, groupOf(name), at));

  await db.run(async (tx) => {
    await groups.lock(tx, 'lab' as MlsGroupId);
    const other = await database.transactions([GroupRow, FollowerRow]);
    const beside = new Following(other, followers, groups);
    const held: string[] = [];
    const take = () => beside.turn('reader', async (_, { mlsGroupId }) => held.push(mlsGroupId) > 0);
    expect([await take(), await take()]).toEqual([true, false]);
    expect(held).toEqual(['choir']);
    expect(await other.statement((look) => followers.due(look, 'reader', 'look'))).toBe('lab');
  });

  expect([await turn(false), await turn(), await turn()]).toEqual([true, true, false]);
  expect(seen).toEqual(['lab', 'lab']);
  await db.run(async (tx) => {
    const lab = (await groups.lock(tx, 'lab' as MlsGroupId))!;
    await groups.save(tx, lab, { ...lab, epoch: epoch(1) }, at);
  });
  expect([await turn(), await turn()]).toEqual([true, false]);
  expect(seen).toEqual(['lab', 'lab', 'lab']);
});

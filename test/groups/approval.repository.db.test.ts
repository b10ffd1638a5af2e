import { expect, test } from 'vitest';
import type { Approval } from '../../src/groups/approval.js';
import { ApprovalRepository, ApprovalRow } from '../../src/groups/approval.repository.js';
import { GroupRepository, GroupRow } from '../../src/groups/group.repository.js';
import { ApprovalsWorker } from '../../src/groups/approvals.worker.js';
import { ocmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import type { TransactionService } from '../../src/platform/transaction.service.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase } from '../support/database.js';
import { NO_FEED } from '../support/no-feed.js';

const lab = 'lab' as MlsGroupId;
const [alice, bob] = ['alice@a.test', 'bob@b.test'].map(ocmAddress) as [never, never];
const asked = (id: number, of: Partial<Approval>): Approval => ({
  id: `00000000-0000-4000-8000-00000000000${id}`,
  mlsGroupId: lab,
  kind: 'remove',
  subject: bob,
  state: 'open',
  requestedAt: new Date(id * 1000),
  ...of,
});

async function known(db: TransactionService, ...asking: readonly Approval[]): Promise<ApprovalRepository> {
  const approvals = new ApprovalRepository(new GroupRepository(NO_FEED), NO_FEED);
  await db.run(async (tx) => {
    const address = ocmAddress('lab@a.test');
    const group = { mlsGroupId: lab, address, epoch: epoch(0), admins: [alice], instance: 1, history: 0 };
    await new GroupRepository(NO_FEED).add(tx, { ...group, state: 'active' }, new Date(0));
    for (const one of asking) await approvals.add(tx, one);
  });
  return approvals;
}

test('the latest of a kind about somebody, by whoever proposed it, or by nobody', async () => {
  await using database = await leaseDatabase();
  const db = await database.transactions([ApprovalRow, GroupRow]);
  const approvals = await known(db, asked(1, { state: 'lapsed' }), asked(2, { proposer: alice }), asked(3, {}));
  const last = (of: Partial<Approval>) => db.run((tx) => approvals.last(tx, lab, asked(0, of)));
  expect(await last({})).toMatchObject({ id: asked(3, {}).id });
  expect(await last({ proposer: alice })).toMatchObject({ id: asked(2, {}).id });
  expect(await last({ proposer: bob })).toBeUndefined();
  expect(await last({ subject: alice })).toBeUndefined();
  expect(await last({ kind: 'add' })).toBeUndefined();
});

test('what nobody proposed anew in time lapses when its time has come, and is forgotten long after', async () => {
  await using database = await leaseDatabase();
  const db = await database.transactions([ApprovalRow, GroupRow]);
  const clock = new TestClock();
  const dueAt = new Date(clock.now().getTime() + 60_000);
  const approvals = await known(
    db,
    asked(1, { dueAt, requestedAt: clock.now() }),
    asked(2, { subject: alice, requestedAt: clock.now() }),
  );
  const worker = new ApprovalsWorker(clock, db, approvals);
  const states = async () => {
    expect(await worker.turn()).toBe(false);
    return db.run(async (tx) => {
      const found = [await approvals.byId(tx, asked(1, {}).id), await approvals.byId(tx, asked(2, {}).id)];
      return found.map((approval) => approval?.state);
    });
  };
  expect(await states()).toEqual(['open', 'open']);
  clock.advance(60_000);
  expect(await states()).toEqual(['lapsed', 'open']);
  clock.advance(91 * 86_400_000);
  expect(await states()).toEqual([undefined, 'open']);
});

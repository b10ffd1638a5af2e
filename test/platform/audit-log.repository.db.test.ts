import { expect, test } from 'vitest';
import { type Host, ocmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { AuditLog, AuditRow } from '../../src/platform/audit-log.repository.js';
import type { Refusal } from '../../src/platform/audit-entry.js';
import { Log } from '../../src/platform/logger.service.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase } from '../support/database.js';

const group = { mlsGroupId: 'AAAA' as MlsGroupId, address: ocmAddress('lab@a.test') };
const asked = { act: 'change.approved', actor: ocmAddress('alice@a.test'), subject: 'bob@b.test', group } as const;
const refusal: Refusal = { act: 'mail.refused', actor: 'b.test' as Host, group, code: 'commit.not-admin' };
const everything = { after: 0, upTo: 1_000_000, most: 1_000 };

async function audited() {
  const lease = await leaseDatabase();
  const clock = new TestClock();
  const audit = new AuditLog(clock, new Log('silent'));
  const source = await lease.open([AuditRow]);
  const db = await lease.transactions([AuditRow]);
  return {
    lease,
    clock,
    audit,
    source,
    db,
    all: () => db.run((tx) => audit.page(tx, everything, {})),
    refuse: (changes: Partial<Refusal> = {}) => db.run((tx) => audit.recordRefusal(tx, { ...refusal, ...changes })),
    [Symbol.asyncDispose]: () => lease.release(),
  };
}

test('an act is told with who, whom, where and when, in the order in which it was done', async () => {
  await using it = await audited();
  await it.db.run(async (tx) => {
    await it.audit.record(tx, { ...asked, epoch: epoch(3), facts: { kind: 'add' } });
    await it.audit.record(tx, { act: 'api-key.made' });
  });
  const [first, second] = await it.all();
  expect(first).toMatchObject({
    at: it.clock.now(),
    act: 'change.approved',
    actor: 'alice@a.test',
    subject: 'bob@b.test',
    group: 'lab@a.test',
    mlsGroupId: 'AAAA',
    epoch: 3,
    digest: null,
    facts: { kind: 'add' },
  });
  expect(second).toMatchObject({ act: 'api-key.made', actor: null, group: null, facts: {} });
  expect(second!.number).toBeGreaterThan(first!.number);
});

test('what was rolled back was not done, and is not told', async () => {
  await using it = await audited();
  const failing = it.db.run(async (tx) => {
    await it.audit.record(tx, asked);
    throw new Error('broken');
  });
  await expect(failing).rejects.toThrow('broken');
  expect(await it.all()).toEqual([]);
});

test.each(['UPDATE audit_log SET actor = NULL', 'DELETE FROM audit_log', 'DELETE FROM audit_log WHERE false'])(
  'the database refuses %s',
  async (sql) => {
    await using it = await audited();
    await it.db.run((tx) => it.audit.record(tx, asked));
    await expect(it.db.statement((tx) => tx.query(sql))).rejects.toThrow('append-only');
    expect(await it.all()).toMatchObject([asked].map(({ actor }) => ({ actor })));
  },
);

test('the same refusal is told once an hour', async () => {
  await using it = await audited();
  await it.refuse();
  it.clock.advance(3_599_000);
  await it.refuse();
  expect(await it.all()).toHaveLength(1);
  await it.refuse({ code: 'commit.not-from-owner' });
  await it.refuse({ subject: 'bob@b.test' });
  await it.refuse({ actor: 'c.test' as Host });
  await it.refuse({ group: { ...group, mlsGroupId: 'BBBB' as MlsGroupId } });
  expect(await it.all()).toHaveLength(5);
  it.clock.advance(2_000);
  await it.refuse();
  expect(await it.all()).toHaveLength(6);
});

test('one actor cannot fill the log with refusals, and takes no room from others', async () => {
  await using it = await audited();
  for (let at = 0; at < 110; at++) await it.refuse({ subject: `user-${at}@a.test` });
  expect(await it.all()).toHaveLength(100);
  await it.refuse({ actor: 'c.test' as Host });
  expect(await it.all()).toHaveLength(101);
  it.clock.advance(3_601_000);
  await it.refuse({ subject: 'late@a.test' });
  expect(await it.all()).toHaveLength(102);
});

test('a page begins after a number, ends at another, and can be of one group or from one time on', async () => {
  await using it = await audited();
  const other = { ...group, address: ocmAddress('club@a.test') };
  for (const of of [group, other, group]) {
    await it.db.run((tx) => it.audit.record(tx, { ...asked, group: of }));
    it.clock.advance(1_000);
  }
  const numbers = (await it.all()).map(({ number }) => number);
  const page = async (range: Partial<typeof everything>, filter = {}) =>
    (await it.db.run((tx) => it.audit.page(tx, { ...everything, ...range }, filter))).map(({ number }) => number);
  expect(await page({ after: numbers[0]!, upTo: numbers[1]! })).toEqual([numbers[1]]);
  expect(await page({ most: 2 })).toEqual(numbers.slice(0, 2));
  expect(await page({}, { group: 'lab@a.test' })).toEqual([numbers[0], numbers[2]]);
  expect(await page({}, { since: new Date(it.clock.now().getTime() - 1_000) })).toEqual([numbers[2]]);
});

test('what is called complete waits for whoever took a lower number and has not committed yet', async () => {
  await using it = await audited();
  if (it.lease.poolSize === 1) return; // there transactions follow each other anyway
  const slow = it.source.createQueryRunner();
  await slow.startTransaction();
  await it.audit.record(slow.manager as never, asked);
  await it.db.run((tx) => it.audit.record(tx, asked));
  const order: string[] = [];
  const complete = it.db.run((tx) => it.audit.complete(tx)).then((upTo) => (order.push('complete'), upTo));
  await expect
    .poll(() => it.db.statement((tx) => tx.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)))
    .toHaveLength(1);
  order.push('committed');
  await slow.commitTransaction();
  await slow.release();
  const upTo = await complete;
  expect(order).toEqual(['committed', 'complete']);
  const numbers = (await it.all()).map(({ number }) => number);
  expect(numbers).toHaveLength(2);
  expect(upTo).toBe(Math.max(...numbers));
});

import { expect, test } from 'vitest';
import { RateLimitRow, RateLimits } from '../../src/platform/rate-limits.repository.js';
import { UpkeepWorker } from '../../src/platform/upkeep.worker.js';
import type { Poller } from '../../src/platform/poller.service.js';
import { Idempotency, IdempotencyRow } from '../../src/platform/idempotency.repository.js';
import { leaseDatabase } from '../support/database.js';
import { TestClock } from '../support/clock.js';

const TWICE = { everyMs: 1000, burst: 2 };

async function limited() {
  const lease = await leaseDatabase();
  const [db, clock, limits] = [
    await lease.transactions([RateLimitRow, IdempotencyRow]),
    new TestClock(),
    new RateLimits(),
  ];
  const spend = (subject: string, cost = 1) => db.run((tx) => limits.spend(tx, subject, TWICE, cost, clock.now()));
  const wait = (subject: string) => db.run((tx) => limits.wait(tx, subject, TWICE, clock.now()));
  const count = async () => (await db.run((tx) => tx.query<unknown[]>('SELECT 1 FROM rate_limit'))).length;
  const poller = { add: () => undefined } as unknown as Poller;
  const upkeep = new UpkeepWorker(clock, db, new Idempotency(clock), limits, poller);
  return { clock, spend, wait, count, upkeep, [Symbol.asyncDispose]: () => lease.release() };
}

test('each subject may spend its burst at once, and then one after the other', async () => {
  await using at = await limited();
  expect([await at.spend('a'), await at.spend('a'), await at.spend('a'), await at.spend('b')]).toEqual([0, 0, 1000, 0]);
  at.clock.advance(400);
  expect([await at.wait('a'), await at.wait('b'), await at.wait('c')]).toEqual([600, 0, 0]);
  expect(await at.spend('a')).toBe(600);
  at.clock.advance(600);
  expect([await at.wait('a'), await at.spend('a'), await at.spend('a')]).toEqual([0, 0, 1000]);
});

test('what costs more than is left is not begun', async () => {
  await using at = await limited();
  expect([await at.spend('a'), await at.spend('a', 2), await at.spend('a')]).toEqual([0, 1000, 0]);
});

test('of those who ask at the same time no more than the burst get anything', async () => {
  await using at = await limited();
  const waits = await Promise.all(Array.from({ length: 6 }, () => at.spend('a')));
  expect(waits.filter((ms) => ms === 0)).toHaveLength(2);
});

test('what counts no more is forgotten', async () => {
  await using at = await limited();
  await at.spend('a', 2);
  await at.spend('b');
  at.clock.advance(1500);
  await at.upkeep.turn();
  expect(await at.count()).toBe(1);
  at.clock.advance(1500);
  await at.upkeep.turn();
  expect(await at.count()).toBe(0);
});

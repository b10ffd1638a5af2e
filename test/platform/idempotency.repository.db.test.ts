import { expect, test } from 'vitest';
import { Idempotency, IdempotencyRow } from '../../src/platform/idempotency.repository.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase } from '../support/database.js';

const KEY = { caller: 'c', key: 'k', fingerprint: 'f' };

async function remembered() {
  const lease = await leaseDatabase();
  const clock = new TestClock();
  const idempotency = new Idempotency(clock);
  const db = await lease.transactions([IdempotencyRow]);
  let made = 0;
  const once = (key: typeof KEY | undefined = KEY, fail = false) =>
    db.run((tx) =>
      idempotency.once(tx, key, async () => {
        await tx.query('SELECT 1');
        if (fail) throw new Error('broken');
        return { made: ++made };
      }),
    );
  return { clock, db, idempotency, once, [Symbol.asyncDispose]: () => lease.release() };
}

test('what was asked twice is done once and answered alike', async () => {
  await using it = await remembered();
  expect([await it.once(), await it.once()]).toEqual([{ made: 1 }, { made: 1 }]);
});

test('without a key it is done each time', async () => {
  await using it = await remembered();
  const none = () => it.db.run((tx) => it.idempotency.once(tx, undefined, async () => 'done'));
  expect([await none(), await none()]).toEqual(['done', 'done']);
});

test('an answer of nothing is an answer', async () => {
  await using it = await remembered();
  const nothing = () => it.db.run((tx) => it.idempotency.once(tx, KEY, async () => null));
  expect([await nothing(), await nothing()]).toEqual([null, null]);
});

test('two that come at the same time are one', async () => {
  await using it = await remembered();
  expect(await Promise.all([it.once(), it.once(), it.once()])).toEqual([{ made: 1 }, { made: 1 }, { made: 1 }]);
});

test('what failed was not done, and may be asked again', async () => {
  await using it = await remembered();
  await expect(it.once(KEY, true)).rejects.toThrow('broken');
  expect(await it.once()).toEqual({ made: 1 });
});

test('the same key for something else is refused', async () => {
  await using it = await remembered();
  await it.once();
  await expect(it.once({ ...KEY, fingerprint: 'g' })).rejects.toMatchObject({ code: 'idempotency.reused' });
});

test('keys of two callers are two keys', async () => {
  await using it = await remembered();
  expect([await it.once(), await it.once({ ...KEY, caller: 'd' })]).toEqual([{ made: 1 }, { made: 2 }]);
});

test('after a day a key is forgotten', async () => {
  await using it = await remembered();
  await it.once();
  it.clock.advanceHours(23);
  await it.db.run((tx) => it.idempotency.forget(tx));
  expect(await it.once()).toEqual({ made: 1 });
  it.clock.advanceHours(2);
  await it.db.run((tx) => it.idempotency.forget(tx));
  expect(await it.once()).toEqual({ made: 2 });
});

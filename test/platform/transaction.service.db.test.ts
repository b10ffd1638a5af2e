import { expect, test } from 'vitest';
import { leaseDatabase } from '../support/database.js';

const MOMENT = new Date(0);
const insert = (key: string) => ({
  sql: 'INSERT INTO idempotency (caller, key, fingerprint, created_at) VALUES ($1, $2, $3, $4)',
  values: ['t', key, '0', MOMENT],
});
const refused = (code: string) => Object.assign(new Error('refused by the database'), { code });

async function rows() {
  const lease = await leaseDatabase();
  const db = await lease.transactions([]);
  const keys = () => db.statement((tx) => tx.query<{ key: string }[]>('SELECT key FROM idempotency ORDER BY key'));
  return {
    db,
    lease,
    keys: async () => (await keys()).map(({ key }) => key),
    [Symbol.asyncDispose]: () => lease.release(),
  };
}

test('what a transaction did is there when it has ended, and not when it has failed', async () => {
  await using it = await rows();
  const add = (key: string, fail: boolean) =>
    it.db.run(async (tx) => {
      const { sql, values } = insert(key);
      await tx.query(sql, values);
      if (fail) throw new Error('broken');
      return 'done';
    });
  expect(await add('kept', false)).toBe('done');
  await expect(add('gone', true)).rejects.toThrow('broken');
  expect(await it.keys()).toEqual(['kept']);
});

test.each(['40001', '40P01'])('work that the database refuses with %s is done again from the start', async (code) => {
  await using it = await rows();
  let tries = 0;
  await it.db.run(async (tx) => {
    const { sql, values } = insert(`try-${++tries}`);
    await tx.query(sql, values);
    if (tries < 3) throw refused(code);
  });
  expect(await it.keys()).toEqual(['try-3']);
});

test('it is not done again for ever', async () => {
  await using it = await rows();
  let tries = 0;
  const always = it.db.run(() => {
    tries++;
    return Promise.reject(refused('40001'));
  });
  await expect(always).rejects.toMatchObject({ code: '40001' });
  expect(tries).toBe(8);
});

test('two that lock each other both succeed; with one connection they never meet', async () => {
  await using it = await rows();
  const alone = it.lease.kind === 'embedded';
  for (const key of ['a', 'b']) await it.db.statement((tx) => tx.query(insert(key).sql, insert(key).values));
  const count = (key: string) =>
    `UPDATE idempotency SET fingerprint = (fingerprint::int + 1)::text WHERE key = '${key}'`;
  const met: (() => void)[] = [];
  const bothThere = new Promise<void>((resolve) => met.push(resolve));
  let there = 0;
  const cross = (first: string, second: string) =>
    it.db.run(async (tx) => {
      await tx.query(count(first));
      if (++there === 2 || alone) met[0]!();
      await bothThere;
      await tx.query(count(second));
    });
  await Promise.all([cross('a', 'b'), cross('b', 'a')]);
  expect(await it.db.statement((tx) => tx.query('SELECT DISTINCT fingerprint AS n FROM idempotency'))).toEqual([
    { n: '2' },
  ]);
  // The one that the deadlock ended was done again.
  expect(there).toBe(alone ? 2 : 3);
});

test('a transaction within a transaction is refused at once instead of waiting for ever', async () => {
  await using it = await rows();
  const nested = it.db.run(() => it.db.run(async () => 'never'));
  await expect(nested).rejects.toMatchObject({ code: 'transaction.nested' });
  await expect(it.db.run(() => it.db.statement(async () => 'never'))).rejects.toMatchObject({
    code: 'transaction.nested',
  });
  expect(await it.db.run(async () => 'free')).toBe('free');
});

test("services of one process do not take each other's transactions for their own", async () => {
  await using one = await rows();
  await using other = await rows();
  const within = await one.db.run(() => other.db.run(async () => 'free'));
  expect(within).toBe('free');
  const around = one.db.run(() => other.db.run(() => one.db.run(async () => 'never')));
  await expect(around).rejects.toMatchObject({ code: 'transaction.nested' });
});

test('many at the same time wait for each other, whatever the size of the pool', async () => {
  await using it = await rows();
  const many = Array.from({ length: 40 }, (_, n) =>
    it.db.run((tx) => tx.query(insert(`n${n}`).sql, insert(`n${n}`).values)),
  );
  await Promise.all(many);
  expect(await it.keys()).toHaveLength(40);
});

test('a hint is given after the commit, once, and may open a transaction of its own', async () => {
  await using it = await rows();
  const told: string[] = [];
  let later: Promise<string[]> | undefined;
  let tries = 0;
  await it.db.run(async (tx) => {
    it.db.afterCommit(tx, () => {
      told.push('committed');
      later = it.keys();
    });
    await tx.query(insert('x').sql, insert('x').values);
    if (++tries === 1) throw refused('40001');
    expect(told).toEqual([]);
  });
  expect([told, await later]).toEqual([['committed'], ['x']]);
});

test('a hint of a transaction that failed is not given', async () => {
  await using it = await rows();
  const told: string[] = [];
  const failed = it.db.run(async (tx) => {
    it.db.afterCommit(tx, () => told.push('committed'));
    await tx.query('SELECT 1');
    throw new Error('broken');
  });
  await expect(failed).rejects.toThrow('broken');
  expect(told).toEqual([]);
});

import { DataSource } from 'typeorm';
import { expect, test } from 'vitest';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { Chance } from './chance.js';
import { Stage } from './stage.js';

/** Two transactions that take the same lock; each says when it has it and when it is about to give it back. */
async function race(stage: Stage, seed: string): Promise<string> {
  const db = stage.server('a.test').get(TransactionService);
  const said: string[] = [];
  const work = (name: string) => () =>
    db.run(async (tx) => {
      await tx.query('SELECT 1');
      await tx.query('SELECT pg_advisory_xact_lock(1)');
      said.push(`${name} has it`);
      await tx.query('SELECT 1');
      said.push(`${name} gives it back`);
    });
  await stage.race([work('x'), work('y')], new Chance(seed));
  return said.join(', ');
}

test('statements of two works go in the order that the seed decides, and a lock keeps one of them waiting', async () => {
  await using stage = await Stage.open(2);
  const orders = new Set<string>();
  for (let seed = 0; seed < 12; seed++) {
    const order = await race(stage, String(seed));
    expect(await race(stage, String(seed))).toBe(order);
    orders.add(order);
  }
  expect([...orders].sort()).toEqual([
    'x has it, x gives it back, y has it, y gives it back',
    'y has it, y gives it back, x has it, x gives it back',
  ]);
});

test('more works than there are connections take turns, in the order that the seed decides', async () => {
  await using stage = await Stage.open(2);
  const db = stage.server('a.test').get(TransactionService);
  const run = async (seed: string) => {
    const said: number[] = [];
    const works = Array.from(
      { length: 12 },
      (_, name) => () =>
        db.run(async (tx) => {
          await tx.query('SELECT 1');
          await tx.query('SELECT 2');
          said.push(name);
        }),
    );
    await stage.race(works, new Chance(seed));
    return said;
  };
  const [first, again, other] = [await run('1'), await run('1'), await run('2')];
  expect(first.toSorted((one, two) => one - two)).toEqual(Array.from({ length: 12 }, (_, name) => name));
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test('who waits within the process for what another work asks keeps nobody waiting', async () => {
  await using stage = await Stage.open(2);
  const db = stage.server('a.test').get(TransactionService);
  const run = async (seed: string) => {
    const said: string[] = [];
    let asked: Promise<unknown> | undefined;
    const works = ['x', 'y', 'z'].map((name) => async () => {
      await (asked ??= db.statement((tx) => tx.query('SELECT 1')));
      await db.run((tx) => tx.query('SELECT 2'));
      said.push(name);
    });
    await stage.race(works, new Chance(seed));
    return said.join();
  };
  const orders = [await run('1'), await run('2'), await run('3')];
  expect(orders.map((order) => order.length)).toEqual([5, 5, 5]);
  expect([await run('1'), await run('2'), await run('3')]).toEqual(orders);
});

test('a server that dies over a lock takes with it who waits for the lock', async () => {
  await using stage = await Stage.open(2);
  const { crash } = stage.server('a.test');
  const db = stage.server('a.test').get(TransactionService);
  const work = () =>
    db
      .run(async (tx) => {
        await tx.query('SELECT pg_advisory_xact_lock(1)');
        crash.arm(3, 'before');
        for (let more = 0; more < 5; more++) await tx.query('SELECT 1');
      })
      .catch(() => undefined);
  await stage.race([work, work, work], new Chance('1'));
  expect(stage.isAlive('a.test')).toBe(false);
  await stage.restart('a.test');
  expect(await stage.server('a.test').get(DataSource).query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

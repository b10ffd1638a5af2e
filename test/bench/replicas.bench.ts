import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { median } from './measure.js';
import { Replica } from './replica.js';
import { Commits } from './replicas.js';

const GROUPS = 20;
const EACH = 5;
const ROUNDS = 3;
const CONCURRENCY = 8;
const COUNTS = [1, 2, 4];
const say = (line: string) => void process.stdout.write(`${line}\n`);

/**
 * Real processes on one PostgreSQL take Commits of many groups: `npm run bench -- replicas`. Who sends shares the processors
 * with them, and so does the database: the ratios say what that machine has left.
 */
test('Commits taken by one, two and four processes, and by those that are left', { timeout: 1_800_000 }, async () => {
  Replica.build();
  await using commits = await Commits.of(GROUPS);
  const { variables } = commits.world.server('b.test');
  const replicas: Replica[] = [];
  try {
    for (const _ of COUNTS.concat(0)) replicas.push(await Replica.start(variables));
    await commits.deliver(await commits.make(1), replicas, CONCURRENCY); // warm
    const rates = new Map<number, number[]>(COUNTS.map((count) => [count, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const count of COUNTS) {
        const { done, ms } = await commits.deliver(await commits.make(EACH), replicas.slice(0, count), CONCURRENCY);
        rates.get(count)!.push((done * 1000) / ms);
      }
    }
    const four = await commits.make(EACH);
    let killed: Promise<void> | undefined;
    const left = await commits.deliver(four, replicas, CONCURRENCY, () => void (killed = replicas[0]!.kill()));
    await killed;
    const one = median(rates.get(1)!);
    say(
      `\n${availableParallelism()} processors for the processes, the sender and PostgreSQL; medians of ${ROUNDS} rounds`,
    );
    for (const [count, seen] of rates) {
      const rate = median(seen);
      say(`${count} processes: ${rate.toFixed(0)} Commits/s, ${(rate / one).toFixed(2)} of one`);
    }
    say(`4 processes, one killed in the middle: ${left.done} acknowledged, ${left.inVain} tries in vain`);
    const agreement = await commits.compared();
    say(`acknowledged in all: ${commits.acknowledged}; ${JSON.stringify(agreement)}`);
    expect(agreement).toMatchObject({ lost: 0, apart: 0 });
    expect(left.done).toBe(four.flat().length);
    expect(replicas.filter(({ isAlive }) => isAlive)).toHaveLength(COUNTS.length);
  } finally {
    for (const replica of replicas) await replica.kill();
  }
});

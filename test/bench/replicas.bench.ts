import { availableParallelism, cpus } from 'node:os';
import { expect, test } from 'vitest';
import { median } from './measure.js';
import { Replica } from './replica.js';
import { Commits } from './replicas.js';

const GROUPS = 20;
const EACH = 5;
const ROUNDS = 3;
const CONCURRENCY = 8;
const COUNTS = [1, 2, 4];
/** Of one processor, for each process. */
const SHARE = 0.2;
const say = (line: string) => void process.stdout.write(`${line}\n`);
/** Seconds that the processors of this machine have idled. */
const idled = () => cpus().reduce((sum, { times }) => sum + times.idle, 0) / 1000;

/**
 * Real processes on one PostgreSQL take Commits of many groups: `npm run bench -- replicas`. Who sends shares the processors
 * with them, and so does the database: on a machine of few processors the first ratios say what that machine has left.
 * Where each process gets a fifth of a processor and no more, the ratios say whether the processes wait for each other.
 */
test('Commits taken by one, two and four processes, and by those that are left', { timeout: 1_800_000 }, async () => {
  Replica.build();
  await using commits = await Commits.of(GROUPS);
  const { variables } = commits.world.server('b.test');
  const replicas: Replica[] = [];
  try {
    for (const _ of COUNTS.concat(0)) replicas.push(await Replica.start(variables));
    await commits.deliver(await commits.make(1), replicas, CONCURRENCY); // warm
    say(
      `\n${availableParallelism()} processors for the processes, the sender and PostgreSQL; medians of ${ROUNDS} rounds`,
    );
    await compare(commits, replicas, 'no limit');
    for (const replica of replicas) replica.limitTo(SHARE);
    await compare(commits, replicas, `${SHARE} of a processor for each`);
    const four = await commits.make(EACH);
    let killed: Promise<void> | undefined;
    const left = await commits.deliver(four, replicas, CONCURRENCY, () => void (killed = replicas[0]!.kill()));
    await killed;
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

async function compare(commits: Commits, replicas: readonly Replica[], limit: string): Promise<void> {
  const rounds = new Map<number, { rate: number; idle: number }[]>(COUNTS.map((count) => [count, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const count of COUNTS) {
      const made = await commits.make(EACH);
      const before = idled();
      const { done, ms } = await commits.deliver(made, replicas.slice(0, count), CONCURRENCY);
      const idle = (idled() - before) / (cpus().length * (ms / 1000));
      rounds.get(count)!.push({ rate: (done * 1000) / ms, idle });
    }
  }
  const rateOf = (count: number) => median(rounds.get(count)!.map(({ rate }) => rate));
  for (const [count, seen] of rounds) {
    const idle = median(seen.map((round) => round.idle)) * 100;
    const rate = rateOf(count);
    const ratio = (rate / rateOf(1)).toFixed(2);
    say(
      `${limit}: ${count} processes: ${rate.toFixed(0)} Commits/s, ${ratio} of one; the machine idles ${idle.toFixed(0)} %`,
    );
  }
}

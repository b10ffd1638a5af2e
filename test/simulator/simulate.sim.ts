import { expect, test } from 'vitest';
import { commandFrom } from './command.js';
import { INVARIANTS } from './invariants.js';
import { replay, simulate } from './simulation.js';
import { shrink } from './shrink.js';

const say = (line: string) => void process.stdout.write(`${line}\n`);
const MOST_SHRINKING = 60;

/**
 * `npm run simulate`: one story for each seed, told line by line. A story that breaks an invariant is made short and told
 * again. With a planted fault that is what must happen: the first story that does ends the run.
 */
test('stories of groups in a world full of trouble', { timeout: 24 * 3_600_000 }, async () => {
  const {
    seeds,
    shrink: shrinking,
    ...first
  } = commandFrom(JSON.parse(process.env['COVEY_SIMULATE'] ?? '[]') as string[]);
  const broken: string[] = [];
  const isOver = () => first.fault !== undefined && broken.length > 0;
  for (let number = 0; number < seeds && !isOver(); number++) {
    const setting = { ...first, seed: number === 0 ? first.seed : `${first.seed}+${number}` };
    say(
      `\nseed ${setting.seed}, ${setting.servers} servers${setting.replicas > 1 ? ` of ${setting.replicas} processes` : ''}, ${setting.steps} steps${setting.fault ? `, with ${setting.fault}` : ''}`,
    );
    const { moves, breaches, counts, fingerprint } = await simulate(setting, say);
    say(`\n${[...counts].map(([what, count]) => `${what}: ${count}`).join(', ')}; fingerprint ${fingerprint}`);
    if (breaches.length === 0) {
      say('all six invariants hold');
      continue;
    }
    broken.push(setting.seed);
    say(`found with seed ${setting.seed}, after ${number + 1} of ${seeds}`);
    for (const { invariant, what } of breaches) say(`BROKEN ${invariant} (${INVARIANTS[invariant]}): ${what}`);
    if (!shrinking) continue;
    const { invariant } = breaches[0]!;
    const short = await shrink(setting, moves, invariant, MOST_SHRINKING);
    say(`\nthe same in ${short.length} moves:`);
    const { breaches: left } = await replay(setting, short, say);
    for (const { invariant: still, what } of left) say(`BROKEN ${still}: ${what}`);
  }
  if (first.fault) expect(broken).toHaveLength(1);
  else expect(broken).toEqual([]);
});

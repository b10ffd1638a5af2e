import { test } from 'vitest';
import { benchLarge, benchSpread } from './federation.js';
import { benchGatheredUpdates, benchLocalLeaves } from './local-leaves.js';

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Groups of a size that hurts: `npm run bench -- groups`. */
test('a Commit for many leaves of one server', { timeout: 600_000 }, async () => {
  console.table(await benchLocalLeaves());
});

test('Updates together and one by one', { timeout: 600_000 }, async () => {
  console.table(await benchGatheredUpdates());
});

test('a Commit for fifty servers', { timeout: 900_000 }, async () => {
  console.table([await benchSpread(50)]);
});

test('a thousand members on twenty servers', { timeout: 3_600_000 }, async () => {
  console.table(await benchLarge(1_000, 20, say));
});

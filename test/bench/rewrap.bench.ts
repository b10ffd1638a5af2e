import { test } from 'vitest';
import { benchRewrap } from './rewrap.js';

/** `npm run bench -- rewrap`: linear growth is a ratio of ten between the two. */
test('file keys under a new Group Key', { timeout: 3_600_000 }, async () => {
  const rows = [];
  for (const resources of [1_000, 10_000]) rows.push(await benchRewrap(resources, 20));
  console.table(rows);
});

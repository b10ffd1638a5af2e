import { test } from 'vitest';
import { CIPHERS } from '../../src/content/cipher.js';
import { benchMemory, benchStream } from './content.js';
import { type Comparison, table } from './measure.js';

/** `npm run bench -- content`. The memory comes first, while the process is small. */
test('a large file in constant memory', { timeout: 600_000 }, async () => {
  console.table([await benchMemory('AES-256-GCM', 4)]);
});

test('streams against the bare ciphers', { timeout: 1_200_000 }, async () => {
  const comparisons: Comparison[] = [];
  for (const cipher of CIPHERS) comparisons.push(...(await benchStream(cipher, 256)));
  process.stdout.write(`\n${table(comparisons)}\n\n`);
});

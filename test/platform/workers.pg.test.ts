import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { World } from '../support/world.js';

const TWO_KEYS = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64url')).join(',');

/** First column of the table "Worker" in the section on replicas. */
function described(): string[] {
  const [, table] = readFileSync('docs/operations.md', 'utf8').split(/^\| Worker .*$/m);
  const rows = table!.trimStart().split('\n\n')[0]!.split('\n').slice(1);
  return rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
}

test('the operator is told of every worker how several processes share it', async () => {
  await using world = await World.with({ 'a.test': { COVEY_SEALING_KEY: TWO_KEYS } });
  const names = world.server('a.test').turns.map(({ name }) => name);
  expect(described().toSorted()).toEqual(names.toSorted());
  expect(new Set(names).size).toBe(names.length);
});

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { expect, test } from 'vitest';
import { statementsOf } from '../support/statements.js';
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

test('a worker that finds nothing to do begins no transaction', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'covey-workers-'));
  const directories = join(folder, 'directories.json');
  const keys = [generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })];
  writeFileSync(directories, JSON.stringify([{ url: 'https://directory.test/list', keys }]));
  await using world = await World.with({
    'a.test': { COVEY_SEALING_KEY: TWO_KEYS, COVEY_DIRECTORIES: directories },
    'b.test': {},
  });
  rmSync(folder, { recursive: true });
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  await alice.share(lab, 'data.tar');
  await world.settle();
  const server = world.server('a.test');
  const begun: string[] = [];
  for (const turn of server.turns) {
    const asked = await statementsOf(server.get<DataSource>(DataSource), async () => {
      expect(await turn.turn()).toBe(false);
    });
    if (asked.some(([sql]) => sql === 'START TRANSACTION')) begun.push(turn.name);
  }
  expect(begun).toEqual([]);
});

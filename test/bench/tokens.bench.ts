import { test } from 'vitest';
import { Config } from '../../src/platform/config.js';
import { World } from '../support/world.js';
import { table } from './measure.js';
import { benchTokens } from './tokens.js';

/** `npm run bench -- tokens` */
test('tokens against the bare libraries', { timeout: 600_000 }, async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const group = await alice.createGroup('lab', [bob]);
  await alice.share(group, 'data.csv');
  await world.settle();
  const url = world.server('a.test').get(Config).databaseUrl!;
  process.stdout.write(`\n${table(await benchTokens(world, url))}\n\n`);
});

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'vitest';
import { Config } from '../../src/platform/config.js';
import { leaseDatabase } from '../support/database.js';
import { World } from '../support/world.js';
import { benchIntake } from './intake.js';
import { type Comparison, table } from './measure.js';
import { benchMembership } from './membership.js';
import { benchMls, stateSizes } from './mls.js';
import { benchOutbox, lettersPerSecond } from './outbox.js';
import { benchTokens } from './tokens.js';

/** Ratios of medians, all of one run. */
test('Covey against the bare libraries', { timeout: 1_800_000 }, async () => {
  const comparisons: Comparison[] = [];
  let lettersASecond = 0;
  {
    await using world = await World.of('a.test', 'b.test');
    const [alice, bob, carol] = await world.users('alice@a.test', 'bob@b.test', 'carol@a.test');
    const group = await alice.createGroup('lab', [bob]);
    await alice.add(group, carol);
    await alice.share(group, 'data.csv');
    await world.settle();
    const url = world.server('a.test').get(Config).databaseUrl!;
    comparisons.push(await benchIntake(world));
    comparisons.push(...(await benchTokens(world, url)));
    comparisons.push(...(await benchMembership(world, url, group as never, bob.address)));
  }
  {
    await using database = await leaseDatabase();
    comparisons.push(await benchOutbox(database));
    lettersASecond = Math.round(await lettersPerSecond(database));
  }
  comparisons.push(...(await benchMls()));
  const states = await stateSizes();

  const machine = { node: process.version, processors: availableParallelism(), platform: process.platform };
  const json = JSON.stringify({ machine, comparisons, lettersASecond, states }, undefined, 2);
  const file = process.env['COVEY_BENCH_JSON'];
  if (file) writeFileSync(file, `${json}\n`);
  process.stdout.write(`\n${table(comparisons)}\n\n`);
  process.stdout.write(`outbox without a network: ${lettersASecond} letters/s\n\n`);
  console.table(states);
  process.stdout.write(`\n${json}\n`);
});

import { beforeAll, expect, test } from 'vitest';
import { advance, buildCommit } from '../../src/mls/epoch.js';
import { followLeaf } from '../../src/mls/follow-leaf.js';
import { type Suite, suiteFrom } from '../../src/mls/suite.js';
import { TestDice } from '../support/dice.js';
import { Crowd, now } from './support/crowd.js';

let suite: Suite;
beforeAll(async () => {
  suite = await suiteFrom(new TestDice('follow-leaf'));
});

test.each(['one', 'two', 'three'])(
  'a leaf that goes along ends where one that applies the Commit ends: %s',
  async (seed) => {
    const crowd = await Crowd.of(seed, 6, suite);
    let followed = 0;
    for (let step = 0; step < 20; step++) followed += await crowd.step();
    expect(followed).toBeGreaterThan(60);
  },
);

test('a leaf for which nothing, or something else, was sealed is not taken along', async () => {
  const crowd = await Crowd.of('apart', 5, suite);
  const [committer, first, second] = [...crowd.states.values()];
  const built = await buildCommit(committer!, { add: [], remove: [], proposals: [], now }, suite);
  const { state } = await advance(first!, built, suite);
  const other = await buildCommit(committer!, { add: [], remove: [], proposals: [], now }, suite);
  await expect(followLeaf(second!, other.commit, state, suite)).rejects.toThrow('commit.leaves-apart');
  const keyless = { ...second!, privatePath: { ...second!.privatePath, privateKeys: {} } };
  await expect(followLeaf(keyless, built.commit, state, suite)).rejects.toThrow('commit.leaves-apart');
  await followLeaf(second!, built.commit, state, suite);
});

import { expect, test } from 'vitest';
import { agree } from './agreement.js';
import { trial, toggle } from './trial.js';

const HOUR = 3_600_000;

test('killed between commit and send: the letter is in the database, and goes out after the restart', async () => {
  const story = await trial();
  await using _ = story.world;
  const { world, lab, alice, bob, charlie } = story;
  world.wire('a.test', 'b.test').cut();
  world.wire('a.test', 'c.test').cut();
  await toggle(alice, story);
  await world.settle();
  const { epoch } = await alice.sees(lab);
  expect(await bob.sees(lab)).toMatchObject({ epoch: epoch - 1 });
  await world.kill('a.test');
  world.wire('a.test', 'b.test').mend();
  world.wire('a.test', 'c.test').mend();
  await world.restart('a.test');
  await world.pass(HOUR);
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ epoch });
});

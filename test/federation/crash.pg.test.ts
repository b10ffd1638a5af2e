import { expect, test } from 'vitest';
import { DEATHS, trial, oneVersionOfEverything, dieEverywhere } from './trial.js';

test('the server of another admin dies at any statement of its own Commit: it goes on with the one Commit', async () => {
  const story = await trial();
  await using _ = story.world;
  await dieEverywhere(story, story.bob, 'b.test');
  expect(oneVersionOfEverything(story, 'b.test')).toBeGreaterThan(DEATHS / 2);
});

test('a member server dies at any statement while it follows a Commit', async () => {
  const story = await trial();
  await using _ = story.world;
  await dieEverywhere(story, story.alice, 'c.test');
});

test('the owner server dies at any statement of a Commit: no letter is lost, none is sent in two versions', async () => {
  const story = await trial();
  await using _ = story.world;
  await dieEverywhere(story, story.alice, 'a.test');
  expect(oneVersionOfEverything(story, 'a.test')).toBeGreaterThan(DEATHS / 2);
});

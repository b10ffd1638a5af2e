import { expect, test } from 'vitest';
import { Rounds } from '../../src/kernel/rounds.js';

interface Round {
  readonly keys: readonly string[];
  end(): void;
  fail(): void;
}

function held(most?: number, loops?: number) {
  const under: Round[] = [];
  const rounds = new Rounds<string, string>(
    (keys) =>
      new Promise((resolve, reject) => {
        under.push({
          keys,
          end: () => resolve(keys.map((key) => `${key}!`)),
          fail: () => reject(new Error(keys.join(' '))),
        });
      }),
    most,
    loops,
  );
  return { under, rounds };
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('whoever asks while a round is under way waits for the next, which answers all of them', async () => {
  const { under, rounds } = held(undefined, 1);
  const answers = ['a', 'b', 'c'].map((key) => rounds.ask(key));
  expect(under.map(({ keys }) => keys)).toEqual([['a']]);
  under[0]!.end();
  expect(await answers[0]).toBe('a!');
  await settled();
  expect(under[1]!.keys).toEqual(['b', 'c']);
  under[1]!.end();
  expect(await Promise.all(answers)).toEqual(['a!', 'b!', 'c!']);
  void rounds.ask('d');
  expect(under[2]!.keys).toEqual(['d']);
});

test('a round that fails fails for those who are in it, and the next begins', async () => {
  const { under, rounds } = held(undefined, 1);
  const first = rounds.ask('a');
  const second = rounds.ask('b');
  under[0]!.fail();
  await expect(first).rejects.toThrow('a');
  await settled();
  under[1]!.end();
  expect(await second).toBe('b!');
});

test('one round that hangs does not stop the others, and none has more than so many keys', async () => {
  const { under, rounds } = held(2, 2);
  const answers = ['hangs', 'a', 'b', 'c', 'd'].map((key) => rounds.ask(key));
  for (let round = 1; round < 4; round++) {
    under[round]!.end();
    await settled();
  }
  expect(await Promise.all(answers.slice(1))).toEqual(['a!', 'b!', 'c!', 'd!']);
  expect(under.map(({ keys }) => keys.join(' '))).toEqual(['hangs', 'a', 'b c', 'd']);
});

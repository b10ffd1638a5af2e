import { describe, expect, test } from 'vitest';
import { type Act, insist, play, type PlayedStep, reportOf } from '../../../src/cli/demo/story.js';

interface Log {
  readonly done: string[];
}

const step = (name: string, fails = false) => ({
  says: `${name} is done`,
  play: async ({ done }: Log) => {
    done.push(name);
    insist(!fails, `${name} to hold`, { seen: name });
    return [`found ${name}`];
  },
});

const acts = (failing?: string): Act<Log>[] => [
  { title: 'First', steps: [step('a', failing === 'a'), step('b', failing === 'b')] },
  { title: 'Second', steps: [step('c', failing === 'c')] },
];

async function performed(all: Act<Log>[]): Promise<{ steps: PlayedStep[]; done: string[] }> {
  const log: Log = { done: [] };
  const steps: PlayedStep[] = [];
  let time = 0;
  for await (const played of play(all, log, () => (time += 5))) steps.push(played);
  return { steps, done: log.done };
}

describe('a story', () => {
  test('plays its steps in order and times them', async () => {
    const { steps, done } = await performed(acts());
    expect(done).toEqual(['a', 'b', 'c']);
    expect(steps.map(({ act, title, ok, found, ms }) => ({ act, title, ok, found, ms }))).toEqual([
      { act: 1, title: 'First', ok: true, found: ['found a'], ms: 5 },
      { act: 1, title: 'First', ok: true, found: ['found b'], ms: 5 },
      { act: 2, title: 'Second', ok: true, found: ['found c'], ms: 5 },
    ]);
    expect(reportOf(acts(), steps, 20)).toMatchObject({ passed: 3, failed: 0, notPlayed: 0, ms: 20 });
  });

  test('ends at the first step that fails, and says what was expected and seen', async () => {
    const { steps, done } = await performed(acts('b'));
    expect(done).toEqual(['a', 'b']);
    expect(steps.at(-1)).toMatchObject({ ok: false, found: ['expected: b to hold; it is {"seen":"b"}'] });
    expect(reportOf(acts('b'), steps, 20)).toMatchObject({ passed: 1, failed: 1, notPlayed: 1 });
  });
});

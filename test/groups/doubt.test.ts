import { expect, test } from 'vitest';
import { type DoubtedCommit, doubtWaitMs, judgeDoubts, type Testimony } from '../../src/groups/doubt.js';
import { type CommitDigest, epoch } from '../../src/kernel/ids.js';

const digest = (name: string) => name as CommitDigest;
const doubted: readonly DoubtedCommit[] = [3, 5, 8].map((at) => ({
  epoch: epoch(at),
  digest: digest(`ours ${at}`),
  changes: [`change of ${at}`],
}));
const judge = (said: Readonly<Record<number, Testimony>>) => {
  const testimonies = new Map(Object.entries(said).map(([at, testimony]) => [epoch(Number(at)), testimony]));
  const { lost, left } = judgeDoubts(doubted, testimonies);
  return { lost: lost.map(({ epoch: at }) => at), left: left.map(({ epoch: at }) => at) };
};

test.each<[string, Readonly<Record<number, Testimony>>, number[], number[]]>([
  ['nobody says anything', {}, [], [3, 5, 8]],
  ['nobody can tell', { 3: undefined, 5: undefined, 8: undefined }, [], [3, 5, 8]],
  ['the last one was followed, and so were all before it', { 8: digest('ours 8') }, [], []],
  ['the first one was followed, of the others nobody can tell', { 3: digest('ours 3') }, [], [5, 8]],
  ['another was followed, and what came behind ours is lost with it', { 5: digest('theirs') }, [5, 8], [3]],
  ['the way parted in between', { 8: digest('theirs'), 5: digest('ours 5') }, [8], []],
  ['nobody of ours was there', { 8: 'not-there', 5: 'not-there', 3: 'not-there' }, [3, 5, 8], []],
  ['nobody of ours was there at the end', { 8: 'not-there', 5: undefined, 3: digest('ours 3') }, [8], [5]],
])('R-093 of what was done before a group was lost: %s', (_, said, lost, left) => {
  expect(judge(said)).toEqual({ lost, left });
});

test('the admin servers are asked ever more seldom', () => {
  expect([0, 1, 2, 20].map(doubtWaitMs)).toEqual([30_000, 60_000, 120_000, 3_600_000]);
});

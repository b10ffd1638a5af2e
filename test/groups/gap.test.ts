import { describe, expect, test } from 'vitest';
import { type GapReport, gapWaitMs, judgeGap, MOST_ROUNDS } from '../../src/groups/gap.js';

describe('R-132 when retransmission is exhausted', () => {
  test.each<[string, GapReport[], number, string]>([
    ['one is ahead and gives nothing', ['ahead'], 1, 'drifted'],
    ['one is ahead, another level', ['ahead', 'level'], 1, 'drifted'],
    ['none knows of the Commits (D-11)', ['unknown', 'unknown'], 1, 'drifted'],
    ['who is silent may help yet', ['ahead', 'silent'], 1, 'wait'],
    ['but not for ever', ['ahead', 'silent'], MOST_ROUNDS, 'drifted'],
    [
      'who knows of nothing may have no admin any more, so that the other is waited for',
      ['unknown', 'silent'],
      MOST_ROUNDS,
      'wait',
    ],
    ['none could be asked, so none could take us in again', ['silent', 'silent'], MOST_ROUNDS * 2, 'wait'],
  ])('%s', (_, reports, rounds, verdict) => expect(judgeGap(reports, rounds)).toBe(verdict));
});

describe('what other member servers say of Commits that no admin server gives', () => {
  test.each<[string, GapReport[], number, string]>([
    ['none of them helped', ['level', 'unknown', 'ahead'], 1, 'drifted'],
    ['who is silent may help yet', ['level', 'silent'], 1, 'wait'],
    ['but not for ever', ['silent'], MOST_ROUNDS, 'drifted'],
  ])('%s', (_, further, rounds, verdict) => expect(judgeGap(['ahead'], rounds, further)).toBe(verdict));
});

describe('that somebody spoke of a later epoch proves nothing', () => {
  test.each<[string, GapReport[], number, string]>([
    ['all are level with us', ['level', 'level'], 1, 'forget'],
    ['one is, the other knows of nothing', ['unknown', 'level'], 1, 'forget'],
    ['one is, the other is silent for ever', ['level', 'silent'], MOST_ROUNDS, 'forget'],
    ['there is nobody to ask', [], 1, 'forget'],
  ])('%s', (_, reports, rounds, verdict) => expect(judgeGap(reports, rounds)).toBe(verdict));
});

test('the waits between the rounds grow to an hour', () => {
  expect([0, 1, 6, 7, 1000].map(gapWaitMs)).toEqual([30_000, 60_000, 1_920_000, 3_600_000, 3_600_000]);
});

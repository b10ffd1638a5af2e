import { expect, test } from 'vitest';
import { reportText, stepText } from '../../../src/cli/demo/story-text.js';

const step = { act: 1, title: 'A beginning', says: 'Something is done.', ok: true, found: ['this', 'that'], ms: 1234 };

test('an act has a heading before its first step only', () => {
  expect(stepText(step, undefined)).toContain('Act 1. A beginning');
  expect(stepText(step, step)).not.toContain('Act 1.');
  expect(stepText({ ...step, act: 2 }, step)).toContain('Act 2. A beginning');
});

test('a step says how it ended, how long it took and what was found', () => {
  const lines = stepText(step, step).split('\n');
  expect(lines[0]).toMatch(/^ {2}ok {4}Something is done\. +1\.2 s$/);
  expect(lines.slice(1)).toEqual(['          this', '          that']);
  expect(stepText({ ...step, ok: false }, step)).toMatch(/^ {2}FAIL {2}/);
});

test('lines are broken at spaces', () => {
  const long = stepText({ ...step, says: 'word '.repeat(60).trim() }, step);
  expect(Math.max(...long.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(104);
  expect(long.match(/word/g)).toHaveLength(60);
});

test('the last line counts what was not played', () => {
  const report = { passed: 3, failed: 1, notPlayed: 2, ms: 12_300, steps: [] };
  expect(reportText(report)).toBe('\n3 steps passed, 1 failed, 2 not played, in 12.3 s');
  expect(reportText({ ...report, failed: 0, notPlayed: 0 })).toBe('\n3 steps passed, 0 failed, in 12.3 s');
});

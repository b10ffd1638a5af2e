import { expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { answerBody, answerCode, LONGEST_ANSWER, ownCode, speaksOcm } from '../../src/outbox/answer.js';

test('JSON is a value, anything else is text, nothing is nothing', () => {
  expect(answerBody(utf8('{"recipientDisplayName":"Bob"}'))).toEqual({ recipientDisplayName: 'Bob' });
  expect(answerBody(utf8('<h1>Bad Gateway</h1>'))).toBe('<h1>Bad Gateway</h1>');
  expect(answerBody(Uint8Array.of(0xff, 0x41))).toBe('\ufffdA');
  expect(answerBody(new Uint8Array())).toBeUndefined();
});

test('long answers are cut, deep ones are taken as text', () => {
  expect(answerBody(utf8('x'.repeat(LONGEST_ANSWER + 5)))).toHaveLength(LONGEST_ANSWER);
  expect(answerBody(utf8('['.repeat(40_000) + ']'.repeat(20_000)))).toBeTypeOf('string');
  expect(answerBody(utf8('['.repeat(33) + ']'.repeat(33)))).toBeTypeOf('string');
  expect(answerBody(utf8('['.repeat(32) + ']'.repeat(32)))).toBeTypeOf('object');
});

test('an error calls itself by its code, or by a message that is a name', () => {
  expect(answerCode({ message: 'COMMIT_STALE', code: 'commit.stale' })).toBe('commit.stale');
  expect(answerCode({ message: 'RESOURCE_NOT_FOUND' })).toBe('RESOURCE_NOT_FOUND');
  expect(answerCode({ message: 'no such thing, sorry' })).toBeUndefined();
  expect(answerCode({ code: { toString: 'x' } })).toBeUndefined();
  expect([answerCode(null), answerCode('x'), answerCode([1]), answerCode(undefined)]).toEqual(Array(4).fill(undefined));
  expect(ownCode({ message: 'X', code: 'toString' })).toBeUndefined();
  expect(ownCode({ message: 'X', code: 'internal' })).toBe('internal');
});

test('whoever sends a message speaks OCM', () => {
  expect(speaksOcm({ message: 'no such thing, sorry' })).toBe(true);
  expect(speaksOcm({ error: 'not found' })).toBe(false);
  expect(speaksOcm('<h1>404</h1>')).toBe(false);
});

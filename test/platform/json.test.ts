import { expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { Fault } from '../../src/kernel/fault.js';
import { parseJson } from '../../src/platform/json.js';

function refusal(bytes: Uint8Array, deepest?: number): Fault {
  try {
    parseJson(bytes, deepest);
  } catch (error) {
    return error as Fault;
  }
  throw new Error('accepted');
}

test('JSON is read, and no bytes are nothing', () => {
  expect(parseJson(utf8('{"a":[1,"\\u00e9"]}'))).toEqual({ a: [1, 'é'] });
  expect(parseJson(new Uint8Array())).toBeUndefined();
});

test('what is nested deeper than allowed is refused before it is parsed', () => {
  expect(parseJson(utf8('[[[]]]'), 3)).toEqual([[[]]]);
  expect(refusal(utf8('[[[[]]]]'), 3).code).toBe('body.too-deep');
  expect(refusal(utf8('['.repeat(1_000_000))).code).toBe('body.too-deep');
});

test('brackets within strings do not count as depth, quotes behind a backslash do not end one', () => {
  expect(parseJson(utf8('["[[[[\\"[[[[","\\\\"]'), 1)).toEqual(['[[[["[[[[', '\\']);
  expect(refusal(utf8('["\\\\",[]]'), 1).code).toBe('body.too-deep');
});

test.each([['{"a":'], ['{"a":1}x'], ["{'a':1}"], ['\ufeff{}']])('%j is not JSON', (text) => {
  expect(refusal(utf8(text)).code).toBe('body.malformed');
});

test('what is not UTF-8 is refused', () => {
  const fault = refusal(Uint8Array.of(0x22, 0xff, 0x22));
  expect([fault.code, fault.facts['errors']]).toEqual(['body.malformed', [{ path: '', message: 'not UTF-8' }]]);
});

test('a refusal quotes nothing of the body, not even in its cause', () => {
  const fault = refusal(utf8('{"sharedSecret":"hunter2",'));
  expect(JSON.stringify([fault.message, fault.facts, fault.cause])).not.toContain('hunter2');
});

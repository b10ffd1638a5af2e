import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newFileKey } from '../../src/content/file-key.js';
import { newHeader } from '../../src/content/stream-header.js';
import { ciphertextSize, LONGEST_PLAINTEXT, plaintextSize } from '../../src/content/stream-layout.js';
import { sealSegment } from '../../src/content/stream-segment.js';
import { isFault } from '../../src/kernel/fault.js';
import { TestDice } from '../support/dice.js';
import { HEADER, SEALED, SEGMENT } from './bytes.js';

const LONGEST_CIPHERTEXT = HEADER + 2 ** 48 + 16 * 2 ** 32;

test('sizes of plaintext and ciphertext follow from each other, up to 256 TiB', () => {
  const sizes = fc.oneof(fc.nat(10 * SEGMENT), fc.integer({ min: 0, max: LONGEST_PLAINTEXT }));
  fc.assert(fc.property(sizes, (size) => plaintextSize(ciphertextSize(size)) === size));
  expect(LONGEST_PLAINTEXT).toBe(2 ** 48);
  expect(ciphertextSize(LONGEST_PLAINTEXT)).toBe(LONGEST_CIPHERTEXT);
  expect(plaintextSize(LONGEST_CIPHERTEXT)).toBe(LONGEST_PLAINTEXT);
});

test.each([
  [0, 94],
  [1, 95],
  [SEGMENT - 1, HEADER + SEALED - 1],
  [SEGMENT, HEADER + SEALED],
  [SEGMENT + 1, HEADER + SEALED + 17],
  [2 * SEGMENT, HEADER + 2 * SEALED],
  [2 * SEGMENT + 1, HEADER + 2 * SEALED + 17],
])('%i bytes of plaintext are %i of ciphertext', (plaintext, ciphertext) => {
  expect(ciphertextSize(plaintext)).toBe(ciphertext);
  expect(plaintextSize(ciphertext)).toBe(plaintext);
});

test('every size of a ciphertext is one that some plaintext has, or is refused', () => {
  const refused: number[] = [];
  for (let size = 0; size < ciphertextSize(2 * SEGMENT + 1); size++) {
    try {
      if (ciphertextSize(plaintextSize(size)) !== size) throw new Error(String(size));
    } catch (error) {
      if (!isFault(error, 'content.malformed')) throw error;
      refused.push(size);
    }
  }
  const after = (border: number) => Array.from({ length: 16 }, (_, more) => border + 1 + more);
  expect(refused).toEqual([
    ...Array.from({ length: 94 }, (_, size) => size),
    ...after(HEADER + SEALED),
    ...after(HEADER + 2 * SEALED),
  ]);
});

test.each([-1, 0.5, 93, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])('%d is no size of a ciphertext', (size) => {
  expect(() => plaintextSize(size)).toThrow('content.malformed');
});

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('%d is no size of a plaintext', (size) => {
  expect(() => ciphertextSize(size)).toThrow('content.malformed');
});

test('what the counter cannot count is too large', () => {
  expect(() => ciphertextSize(LONGEST_PLAINTEXT + 1)).toThrow('content.too-large');
  expect(() => plaintextSize(LONGEST_CIPHERTEXT + 17)).toThrow('content.too-large');
  const dice = new TestDice('counter');
  const { key } = newHeader(newFileKey('AES-128-GCM', dice), dice);
  expect(sealSegment(key, 2 ** 32 - 1, true, [])).toHaveLength(1);
  expect(() => sealSegment(key, 2 ** 32, true, [])).toThrow('content.too-large');
});

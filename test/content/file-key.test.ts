import { expect, test } from 'vitest';
import { CIPHERS } from '../../src/content/cipher.js';
import { fileKey, newFileKey } from '../../src/content/file-key.js';
import { TestDice } from '../support/dice.js';

const LENGTHS = { 'AES-128-GCM': 16, 'AES-256-GCM': 32, 'CHACHA20-POLY1305': 32 };

test.each(CIPHERS)('R-166 a file key for %s is random and has the length that the cipher takes', (cipher) => {
  const dice = new TestDice('file keys');
  const [one, other] = [newFileKey(cipher, dice), newFileKey(cipher, dice)];
  expect([one.bytes.length, other.bytes.length]).toEqual([LENGTHS[cipher], LENGTHS[cipher]]);
  expect(one.bytes).not.toEqual(other.bytes);
});

test.each(CIPHERS)('R-166 a file key for %s of any other length is refused', (cipher) => {
  for (let length = 0; length <= 64; length++) {
    const make = () => fileKey(cipher, new Uint8Array(length));
    if (length === LENGTHS[cipher]) expect(make).not.toThrow();
    else expect(make).toThrow('content.key-length');
  }
});

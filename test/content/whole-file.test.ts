import { describe, expect, test } from 'vitest';
import { CIPHERS } from '../../src/content/cipher.js';
import { newFileKey } from '../../src/content/file-key.js';
import { hasMagic } from '../../src/content/stream-header.js';
import { TestDice } from '../support/dice.js';
import { encryptWhole } from './by-the-page.js';
import { chunked, flipped, outcome, plain, sealed } from './bytes.js';

const dice = new TestDice('whole files');
const LIMIT = 100_000;

describe.each(CIPHERS)('the whole-file form under %s', (cipher) => {
  const key = newFileKey(cipher, dice);
  const whole = (length: number) => encryptWhole(cipher, key.bytes, dice.bytes(12), plain(length));

  test.each([0, 1, 40, 49, 50, 51, 70_000])('is read when a limit allows it: %i bytes', async (length) => {
    for (const sizes of [[1], [100], [1_000_000]]) {
      const { given, thrown } = await outcome(chunked(whole(length), sizes), key, LIMIT);
      expect(thrown).toBeUndefined();
      expect(given.equals(plain(length))).toBe(true);
    }
  });

  test('gives out nothing when anything was changed or cut, or the key is another', async () => {
    const file = whole(200);
    const spoiled = [
      ...[...file.keys()].map((at) => flipped(file, at, at % 8)),
      ...[...file.keys()].map((length) => file.subarray(0, length)),
      Buffer.concat([file, Buffer.alloc(1)]),
    ];
    for (const one of spoiled) {
      const { given, thrown } = await outcome(one, key, LIMIT);
      expect(thrown).toMatchObject({ code: one.length < 28 ? 'content.malformed' : 'content.broken' });
      expect(given).toHaveLength(0);
    }
    expect((await outcome(file, newFileKey(cipher, dice), LIMIT)).thrown).toMatchObject({ code: 'content.broken' });
  });
});

describe('the forms are told apart', () => {
  const key = newFileKey('AES-256-GCM', dice);

  test('by the magic, and another version is refused rather than read as a whole file', async () => {
    const file = await sealed(plain(10), key, dice);
    expect(hasMagic(file)).toBe(true);
    expect(hasMagic(dice.bytes(12))).toBe(false);
    expect(hasMagic(file.subarray(0, 11))).toBe(false);
    expect((await outcome(file, key, LIMIT)).given.equals(plain(10))).toBe(true);
    for (const longest of [0, LIMIT]) {
      expect((await outcome(flipped(file, 11), key, longest)).thrown).toMatchObject({
        code: 'content.malformed',
        facts: { what: 'version' },
      });
    }
  });

  test('and a whole file is refused where none is expected', async () => {
    const file = encryptWhole('AES-256-GCM', key.bytes, dice.bytes(12), plain(500));
    expect((await outcome(file, key)).thrown).toMatchObject({ code: 'content.malformed' });
    expect((await outcome(file.subarray(0, 40), key)).thrown).toMatchObject({ code: 'content.malformed' });
  });
});

test.each([30, 77, 78, 79, 5_000])('no more of a whole file than %i bytes is held', async (longest) => {
  const key = newFileKey('AES-256-GCM', dice);
  const fitting = encryptWhole('AES-256-GCM', key.bytes, dice.bytes(12), plain(longest - 28));
  expect((await outcome(fitting, key, longest)).given).toHaveLength(longest - 28);
  let asked = 0;
  const endless = (function* () {
    for (;;) {
      asked++;
      yield Buffer.alloc(10, 1);
    }
  })();
  expect((await outcome(endless, key, longest)).thrown).toMatchObject({ code: 'content.too-large' });
  expect(asked).toBeLessThanOrEqual(Math.max(8, Math.floor(longest / 10) + 1));
  const longer = encryptWhole('AES-256-GCM', key.bytes, dice.bytes(12), plain(longest - 27));
  expect((await outcome(longer, key, longest)).thrown).toMatchObject({ code: 'content.too-large' });
});

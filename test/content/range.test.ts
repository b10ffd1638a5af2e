import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CIPHERS } from '../../src/content/cipher.js';
import { decryptRange } from '../../src/content/decryption.js';
import { newFileKey } from '../../src/content/file-key.js';
import { openHeader } from '../../src/content/stream-header.js';
import { plaintextSize, readingOf } from '../../src/content/stream-layout.js';
import { TestDice } from '../support/dice.js';
import { chunked, flipped, HEADER, plain, SEALED, sealed, SEGMENT, watched } from './bytes.js';

const dice = new TestDice('ranges');
const key = newFileKey('AES-256-GCM', dice);

/** The range, read as a client would: the header, then only those segments. */
function read(file: Buffer, start: number, end: number, sizes = [70_000], fileKey = key) {
  const reading = readingOf({ start, end }, file.length);
  const bytes = file.subarray(reading.ciphertext.start, reading.ciphertext.end);
  return watched(decryptRange(chunked(bytes, sizes), openHeader(file.subarray(0, HEADER), fileKey), reading));
}

describe('a range is the same slice of the plaintext', () => {
  test.each([1, 2, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT - 1, 3 * SEGMENT + 1])(
    'for all pairs around the borders of %i bytes',
    async (length) => {
      const file = await sealed(plain(length), key, dice);
      const borders = [0, 1, 2, 3].flatMap((index) => [-1, 0, 1].map((near) => index * SEGMENT + near));
      const places = [...new Set([...borders, length - 1, length])].filter((at) => at >= 0 && at <= length);
      for (const start of places) {
        for (const end of places.filter((at) => at > start)) {
          const { given, thrown } = await read(file, start, end);
          expect(thrown).toBeUndefined();
          expect(given.equals(plain(length).subarray(start, end)), `${start} to ${end}`).toBe(true);
        }
      }
    },
  );

  test.each(CIPHERS)('for any range under %s, in chunks of any sizes', async (cipher) => {
    const other = newFileKey(cipher, dice);
    const sizes = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 * SEGMENT }),
        fc.nat(),
        fc.nat(),
        sizes,
        async (length, a, b, by) => {
          const file = await sealed(plain(length), other, dice);
          const start = a % length;
          const end = start + 1 + (b % (length - start));
          const { given, thrown } = await read(file, start, end, by, other);
          expect(thrown).toBeUndefined();
          expect(given.equals(plain(length).subarray(start, end))).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('what is to be read', () => {
  const size = HEADER + 3 * SEALED + 116;

  test('are whole segments, no more than needed', () => {
    const last = SEALED * 3 + HEADER;
    expect(readingOf({ start: 0, end: 1 }, size)).toMatchObject({ first: 0, last: 0, reachesEnd: false });
    expect(readingOf({ start: 0, end: 1 }, size).ciphertext).toEqual({ start: HEADER, end: HEADER + SEALED });
    expect(readingOf({ start: SEGMENT - 1, end: SEGMENT + 1 }, size)).toMatchObject({ first: 0, last: 1 });
    expect(readingOf({ start: SEGMENT, end: 2 * SEGMENT }, size)).toMatchObject({ first: 1, last: 1 });
    expect(readingOf({ start: 3 * SEGMENT + 99, end: 3 * SEGMENT + 100 }, size)).toEqual({
      plaintext: { start: 3 * SEGMENT + 99, end: 3 * SEGMENT + 100 },
      ciphertext: { start: last, end: size },
      first: 3,
      last: 3,
      reachesEnd: true,
    });
    expect(readingOf({ start: 0, end: SEGMENT }, HEADER + SEALED).reachesEnd).toBe(true);
  });

  test.each([
    [0, 0],
    [5, 5],
    [6, 5],
    [-1, 5],
    [0.5, 5],
    [0, 3 * SEGMENT + 101],
    [Number.NaN, 1],
    [0, Number.POSITIVE_INFINITY],
  ])('is not said of the range from %d to %d', (start, end) => {
    expect(() => readingOf({ start, end }, size)).toThrow('content.range');
  });

  test('an empty file has no ranges, and a size that no file has is refused', () => {
    expect(() => readingOf({ start: 0, end: 1 }, 94)).toThrow('content.range');
    expect(() => readingOf({ start: 0, end: 1 }, HEADER + SEALED + 16)).toThrow('content.malformed');
  });
});

describe('a range that was tampered with', () => {
  const length = 4 * SEGMENT + 50;
  const whole = sealed(plain(length), key, dice);

  test('is refused, and what was given before was right', async () => {
    const file = await whole;
    for (const at of [HEADER + SEALED, HEADER + 2 * SEALED + 9, HEADER + 3 * SEALED - 1]) {
      const { given, thrown } = await read(flipped(file, at), SEGMENT + 10, 3 * SEGMENT);
      expect(thrown).toMatchObject({ code: 'content.broken' });
      const before = at < HEADER + 2 * SEALED ? SEGMENT + 10 : 2 * SEGMENT;
      expect(given.equals(plain(length).subarray(SEGMENT + 10, before))).toBe(true);
    }
    const elsewhere = await read(flipped(file, HEADER + 3 * SEALED), SEGMENT + 10, 3 * SEGMENT);
    expect(elsewhere.thrown).toBeUndefined();
  });

  test('is refused when other segments, fewer or more bytes come than were asked for', async () => {
    const file = await whole;
    const streamKey = openHeader(file, key);
    const reading = readingOf({ start: SEGMENT, end: 2 * SEGMENT }, file.length);
    const from = (start: number, end: number) => watched(decryptRange([file.subarray(start, end)], streamKey, reading));
    const [start, end] = [HEADER + SEALED, HEADER + 2 * SEALED];
    expect((await from(start, end)).thrown).toBeUndefined();
    expect(await from(start + SEALED, end + SEALED)).toMatchObject({
      thrown: { code: 'content.broken' },
      given: { length: 0 },
    });
    for (const [a, b] of [
      [start, end - 1],
      [start, end + 1],
      [start, start],
      [start, end + SEALED],
    ] as const) {
      expect(await from(a, b)).toMatchObject({ thrown: { code: 'content.malformed' }, given: { length: 0 } });
    }
  });

  test('comes from one version of the file', async () => {
    const [file, other] = [await whole, await sealed(plain(length), key, dice)];
    const mixed = Buffer.concat([other.subarray(0, HEADER), file.subarray(HEADER)]);
    expect(await read(mixed, 0, 10)).toMatchObject({ thrown: { code: 'content.broken' }, given: { length: 0 } });
  });
});

describe('the size of a file', () => {
  const length = 4 * SEGMENT + 50;
  const whole = sealed(plain(length), key, dice);

  test('is proved by the last segment: a file that was cut has none', async () => {
    const file = await whole;
    expect((await read(file, length - 1, length)).thrown).toBeUndefined();
    for (const cut of [file.length - 1, HEADER + 4 * SEALED, HEADER + 2 * SEALED, HEADER + SEALED + 17]) {
      const size = plaintextSize(cut);
      expect(await read(file.subarray(0, cut), size - 1, size)).toMatchObject({ thrown: { code: 'content.broken' } });
    }
  });

  test('is not proved by a range before it', async () => {
    const cut = (await whole).subarray(0, HEADER + 2 * SEALED);
    const { given, thrown } = await read(cut, 0, SEGMENT);
    expect(thrown).toBeUndefined();
    expect(given.equals(plain(SEGMENT))).toBe(true);
  });
});

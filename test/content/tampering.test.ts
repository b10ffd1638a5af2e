import { describe, expect, test } from 'vitest';
import { CIPHERS } from '../../src/content/cipher.js';
import { fileKey, newFileKey } from '../../src/content/file-key.js';
import { TestDice } from '../support/dice.js';
import * as page from './by-the-page.js';
import { chunked, flipped, HEADER, outcome, plain, SEALED, sealed, SEGMENT } from './bytes.js';

const dice = new TestDice('tampering');
const LAST = 300;
const plaintext = plain(3 * SEGMENT + LAST);

describe.each(CIPHERS)('of a file under %s', (cipher) => {
  const key = newFileKey(cipher, dice);
  const whole = sealed(plaintext, key, dice);
  const segment = async (index: number) =>
    (await whole).subarray(HEADER + index * SEALED, HEADER + (index + 1) * SEALED);
  const header = async () => (await whole).subarray(0, HEADER);

  /** Refused for that reason, after no more than the segments that were whole and in place. */
  async function refused(file: Uint8Array, intact: number, code: string, about = ''): Promise<void> {
    const { given, thrown } = await outcome(chunked(file, [50_000]), key);
    expect(thrown, about).toMatchObject({ code });
    expect(given.length, about).toBeLessThanOrEqual(intact * SEGMENT);
    expect(given.equals(plaintext.subarray(0, given.length)), about).toBe(true);
  }

  test('every bit of the header counts', async () => {
    const file = await whole;
    const codes = new Map<string, number>();
    for (let at = 0; at < HEADER; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const { given, thrown } = await outcome(flipped(file.subarray(0, HEADER + 100), at, bit), key);
        expect(given).toHaveLength(0);
        const { code } = thrown as { code: string };
        codes.set(code, (codes.get(code) ?? 0) + 1);
        if (at < 12) expect(code).toBe('content.malformed');
        else if (at < 14) expect(code).toMatch(/^content\.(malformed|cipher-differs)$/);
        else expect(code).toBe('content.key-mismatch');
      }
    }
    expect(codes.get('content.key-mismatch')).toBe(64 * 8);
  });

  test('bits of the body count, of every segment and of every tag', async () => {
    const file = await whole;
    for (let index = 0; index < 4; index++) {
      const [start, end] = [HEADER + index * SEALED, Math.min(file.length, HEADER + (index + 1) * SEALED)];
      const places = [...Array.from({ length: 17 }, (_, back) => end - 1 - back), start, start + 1, start + 257];
      for (const at of places) await refused(flipped(file, at, at % 8), index, 'content.broken', String(at));
    }
  });

  test('a file that was cut is noticed, wherever', async () => {
    const file = await whole;
    const borders = [0, 1, 2, 3].map((index) => HEADER + index * SEALED);
    const places = new Set([
      ...Array.from({ length: HEADER + 40 }, (_, length) => length),
      ...borders.flatMap((border) => Array.from({ length: 41 }, (_, near) => border - 20 + near)),
      ...Array.from({ length: 150 }, (_, turn) => Math.floor((turn * file.length) / 150)),
      ...Array.from({ length: LAST + 16 }, (_, back) => file.length - 1 - back),
    ]);
    for (const length of places) {
      const intact = Math.max(0, Math.ceil((length - HEADER) / SEALED) - 1);
      const rest = length - HEADER - intact * SEALED;
      const malformed = length < HEADER || rest < (intact === 0 ? 16 : 17);
      await refused(file.subarray(0, length), intact, malformed ? 'content.malformed' : 'content.broken', `${length}`);
    }
  });

  test('segments keep their place and their number', async () => {
    const [a, b, c, last] = await Promise.all([0, 1, 2, 3].map(segment));
    const cases: [string, Uint8Array[], number][] = [
      ['two exchanged', [b!, a!, c!, last!], 0],
      ['the inner two exchanged', [a!, c!, b!, last!], 1],
      ['one repeated', [a!, a!, b!, c!, last!], 1],
      ['one put in the place of another', [a!, b!, b!, last!], 2],
      ['the first dropped', [b!, c!, last!], 0],
      ['an inner one dropped', [a!, c!, last!], 1],
      ['the last one dropped', [a!, b!, c!], 2],
      ['the last one repeated', [a!, b!, c!, last!, last!], 3],
      ['the last one alone', [last!], 0],
      ['the last one early', [a!, last!], 1],
    ];
    for (const [about, segments, intact] of cases) {
      await refused(Buffer.concat([await header(), ...segments]), intact, 'content.broken', about);
    }
  });

  test('nothing may follow the end', async () => {
    const file = await whole;
    for (const length of [1, 15, 16, 17, 1000, SEALED]) {
      await refused(Buffer.concat([file, Buffer.alloc(length)]), 3, 'content.broken', `${length}`);
    }
    const full = await sealed(plaintext.subarray(0, SEGMENT), key, dice);
    for (const length of [1, 16, 17]) {
      await refused(Buffer.concat([full, Buffer.alloc(length)]), 0, 'content.broken', `${length}`);
    }
  });

  test('segments of another version under the same key do not fit, nor does its header', async () => {
    const [file, other] = [await whole, await sealed(plaintext, key, dice)];
    await refused(Buffer.concat([other.subarray(0, HEADER), file.subarray(HEADER)]), 0, 'content.broken');
    const at = HEADER + SEALED;
    await refused(Buffer.concat([file.subarray(0, at), other.subarray(at)]), 1, 'content.broken');
    const mixed = Buffer.concat([file.subarray(0, 14), other.subarray(14, 46), file.subarray(46)]);
    await refused(mixed, 0, 'content.key-mismatch');
  });

  test('a plaintext has one form: an empty last segment, or a short one within, is refused even when sealed right', async () => {
    const { header: made, ...derived } = page.derive(cipher, key.bytes, dice.bytes(32));
    const seal = (index: number, last: boolean, length: number) =>
      page.sealOne(cipher, derived, index, last, plaintext.subarray(index * SEGMENT, index * SEGMENT + length));
    const parts = [made, seal(0, false, SEGMENT), seal(1, true, 0)];
    await refused(Buffer.concat(parts), 1, 'content.malformed');
    await refused(Buffer.concat([made, seal(0, false, 100), seal(1, true, 100)]), 0, 'content.broken');
    await refused(Buffer.concat([made, seal(0, false, 100)]), 0, 'content.broken');
    await refused(Buffer.concat([made, seal(0, true, SEGMENT), seal(1, true, 100)]), 0, 'content.broken');
    await refused(Buffer.concat([made, seal(0, true, SEGMENT + 1)]), 0, 'content.broken');
    const right = await outcome(Buffer.concat([made, seal(0, false, SEGMENT), seal(1, true, 1)]), key);
    expect(right.given.equals(plaintext.subarray(0, SEGMENT + 1))).toBe(true);
  });
});

test('a file whose segments open under two keys is still bound to one', async () => {
  const [one, other] = [newFileKey('AES-256-GCM', dice), newFileKey('AES-256-GCM', dice)];
  const file = await sealed(plain(10), one, dice);
  const { commitment } = page.derive('AES-256-GCM', other.bytes, file.subarray(14, 46));
  const recommitted = Buffer.concat([file.subarray(0, 46), commitment, file.subarray(HEADER)]);
  expect((await outcome(recommitted, one)).thrown).toMatchObject({ code: 'content.key-mismatch' });
  expect((await outcome(recommitted, other)).thrown).toMatchObject({ code: 'content.broken' });
});

test('a header of an AES-128 key is not taken for one of its doubled key', async () => {
  const short = newFileKey('AES-128-GCM', dice);
  const file = await sealed(plain(10), short, dice);
  file[13] = 2;
  const padded = fileKey('AES-256-GCM', new Uint8Array([...short.bytes, ...new Uint8Array(16)]));
  expect((await outcome(file, padded)).thrown).toMatchObject({ code: 'content.key-mismatch' });
});

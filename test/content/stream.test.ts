import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CIPHERS } from '../../src/content/cipher.js';
import { decryptContent } from '../../src/content/decryption.js';
import { encryptContent } from '../../src/content/encryption.js';
import { fileKey, newFileKey } from '../../src/content/file-key.js';
import { ciphertextSize, plaintextSize } from '../../src/content/stream-layout.js';
import { TestDice } from '../support/dice.js';
import * as page from './by-the-page.js';
import { chunked, gathered, HEADER, outcome, plain, sealed, SEGMENT } from './bytes.js';

const dice = new TestDice('streams');
const BORDERS = [0, 1, 2, 15, 16, 17, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT - 1, 2 * SEGMENT, 2 * SEGMENT + 1];
const lengths = fc.oneof(fc.constantFrom(...BORDERS), fc.nat(3 * SEGMENT));
const chunkings = fc.array(
  fc.oneof(fc.nat(40), fc.integer({ min: 1, max: 20_000 }), fc.constantFrom(SEGMENT, SEGMENT + 16, 300_000)),
  { minLength: 1, maxLength: 6 },
);
const sizes = chunkings.filter((chunking) => chunking.some((size) => size > 0));

describe.each(CIPHERS)('R-167 a stream under %s', (cipher) => {
  const key = newFileKey(cipher, dice);

  test('is what the page says, for any content in chunks of any sizes', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, sizes, sizes, fc.nat(255), async (length, there, back, first) => {
        const plaintext = plain(length).map((byte) => byte ^ first);
        const file = await gathered(encryptContent(chunked(plaintext, there), key, dice));
        expect(file.equals(page.encrypt(cipher, key.bytes, file.subarray(14, 46), plaintext))).toBe(true);
        expect(page.decrypt(cipher, key.bytes, file).equals(plaintext)).toBe(true);
        const opened = await gathered(decryptContent(chunked(file, back), key));
        expect(opened.equals(plaintext)).toBe(true);
        expect([ciphertextSize(length), plaintextSize(file.length)]).toEqual([file.length, length]);
      }),
      { numRuns: 60 },
    );
  });

  test('comes through byte by byte', async () => {
    const plaintext = plain(SEGMENT + 20);
    const file = await gathered(encryptContent(chunked(plaintext, [1, 0]), key, dice));
    expect((await gathered(decryptContent(chunked(file, [1]), key))).equals(plaintext)).toBe(true);
  });

  test('R-164 is opened as what its header names, and as no other cipher', async () => {
    const file = await sealed(plain(5), key, dice);
    for (const other of CIPHERS.filter((name) => name !== cipher)) {
      const wrong = newFileKey(other, dice);
      const { given, thrown } = await outcome(file, wrong);
      expect(thrown).toMatchObject({ code: 'content.cipher-differs', facts: { named: cipher, expected: other } });
      expect(given).toHaveLength(0);
    }
  });

  test('is not opened with another key of the same length', async () => {
    const file = await sealed(plain(5), key, dice);
    const { given, thrown } = await outcome(file, newFileKey(cipher, dice));
    expect(thrown).toMatchObject({ code: 'content.key-mismatch', retry: true });
    expect(given).toHaveLength(0);
  });
});

test('R-189 the same content under the same key is sealed with another key and other nonces each time', async () => {
  const key = newFileKey('AES-256-GCM', dice);
  const files = await Promise.all(Array.from({ length: 20 }, () => sealed(plain(100), key, dice)));
  const parts = [[14, 46] as const, [46, HEADER] as const, [HEADER, HEADER + 100] as const];
  for (const part of parts) expect(new Set(files.map((file) => file.toString('hex', ...part))).size).toBe(20);
  const derived = files.map((file) => page.derive('AES-256-GCM', key.bytes, file.subarray(14, 46)));
  expect(new Set(derived.map(({ key: used }) => used.toString('hex'))).size).toBe(20);
});

test('R-189 no two segments of a file have the same nonce', async () => {
  const key = newFileKey('AES-256-GCM', dice);
  const file = await sealed(Buffer.alloc(3 * SEGMENT), key, dice);
  // In counter mode zeros show the key stream, which is the same only for the same nonce.
  const streams = [0, 1, 2].map((index) => file.toString('hex', HEADER + index * (SEGMENT + 16)).slice(0, 64));
  expect(new Set(streams).size).toBe(3);
});

test('the file key is left as it was', async () => {
  const bytes = new TestDice('kept').bytes(32);
  const key = fileKey('AES-256-GCM', bytes.slice());
  await outcome(await sealed(plain(9), key, dice), key);
  expect(key.bytes).toEqual(bytes);
});

describe('streaming', () => {
  const key = newFileKey('AES-128-GCM', dice);

  /** Counts what is asked of it. */
  const source = (bytes: Uint8Array) => {
    const state = { asked: 0, closed: false };
    const chunks = (function* () {
      try {
        for (const chunk of chunked(bytes, [SEGMENT])) {
          state.asked++;
          yield chunk;
        }
      } finally {
        state.closed = true;
      }
    })();
    return { state, chunks };
  };

  test.each([
    ['encryption', (chunks: Iterable<Uint8Array>) => encryptContent(chunks, key, dice)],
    ['decryption', (chunks: Iterable<Uint8Array>) => decryptContent(chunks, key)],
  ])('%s asks for no more than it needs, and lets go of its source when nobody wants the rest', async (_, begin) => {
    const file = await sealed(plain(20 * SEGMENT), key, dice);
    const { state, chunks } = source(file);
    let given = 0;
    for await (const chunk of begin(chunks)) {
      given += chunk.length;
      expect(state.asked * SEGMENT - given).toBeLessThan(3 * SEGMENT);
      if (given > 5 * SEGMENT) break;
    }
    expect(state).toMatchObject({ closed: true });
    expect(state.asked).toBeLessThan(9);
  });

  test('what fails in the source fails in the stream', async () => {
    const failing = (function* () {
      yield plain(70_000);
      throw new Error('disk');
    })();
    await expect(gathered(encryptContent(failing, key, dice))).rejects.toThrow('disk');
  });

  test('fits into pipelines of Node, at the pace of the slowest', async () => {
    const plaintext = plain(7 * SEGMENT + 5);
    const received: Buffer[] = [];
    const slow = new Writable({
      highWaterMark: 1_000,
      write(chunk: Buffer, _, done) {
        received.push(chunk);
        setImmediate(done);
      },
    });
    await pipeline(
      Readable.from(chunked(plaintext, [10_000])),
      (content: AsyncIterable<Uint8Array>) => encryptContent(content, key, dice),
      (content: AsyncIterable<Uint8Array>) => decryptContent(content, key),
      slow,
    );
    expect(Buffer.concat(received).equals(plaintext)).toBe(true);
    const readable = Readable.from(encryptContent([plaintext], key, dice));
    await once(readable, 'readable');
    readable.destroy();
  });
});

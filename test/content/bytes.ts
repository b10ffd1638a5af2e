import { decryptContent } from '../../src/content/decryption.js';
import { encryptContent } from '../../src/content/encryption.js';
import type { FileKey } from '../../src/content/file-key.js';
import { Dice } from '../../src/kernel/dice.js';

export const SEGMENT = 65_536;
export const SEALED = SEGMENT + 16;
export const HEADER = 78;

/** Throws what it was given, always. */
export class Loaded extends Dice {
  constructor(private readonly thrown: Uint8Array) {
    super();
  }

  bytes(length: number): Uint8Array {
    return this.thrown.slice(0, length);
  }
}

/** The plaintext of the page: byte i is i mod 251. */
export const plain = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, index) => index % 251));

/** The bytes in chunks of the sizes, which are used again and again; a size of 0 makes an empty chunk. */
export function* chunked(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

export async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

export const sealed = (plaintext: Uint8Array, key: FileKey, dice: Dice): Promise<Buffer> =>
  gathered(encryptContent([plaintext], key, dice));

/** What a decryption gave out until it ended, and what it threw, if anything. */
export async function outcome(
  file: Uint8Array | Iterable<Uint8Array>,
  key: FileKey,
  longestWholeFile?: number,
): Promise<{ readonly given: Buffer; readonly thrown: unknown }> {
  return watched(decryptContent(file instanceof Uint8Array ? [file] : file, key, longestWholeFile));
}

export async function watched(chunks: AsyncIterable<Uint8Array>) {
  const all: Uint8Array[] = [];
  let thrown: unknown;
  try {
    for await (const chunk of chunks) all.push(chunk);
  } catch (error) {
    thrown = error;
  }
  return { given: Buffer.concat(all), thrown };
}

export function flipped(bytes: Uint8Array, at: number, bit = 0): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1 << bit;
  return copy;
}

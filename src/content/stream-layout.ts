import { Fault } from '../kernel/fault.js';
import { TAG_LENGTH } from './cipher.js';
import { HEADER_LENGTH } from './stream-header.js';

/** Bytes of plaintext in every segment but the last, and of ciphertext with its tag. */
export const SEGMENT_LENGTH = 65_536;
export const SEALED_LENGTH = SEGMENT_LENGTH + TAG_LENGTH;
/** The counter in the nonce has four bytes. */
export const MOST_SEGMENTS = 2 ** 32;
/** 256 TiB */
export const LONGEST_PLAINTEXT = SEGMENT_LENGTH * MOST_SEGMENTS;

/** Bytes from `start` on, up to `end`, which is not among them. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What to read of a ciphertext for a range of its plaintext. */
export interface Reading {
  readonly plaintext: Span;
  /** Whole segments; the header is not among them. */
  readonly ciphertext: Span;
  /** The indexes, from 0, of the first and the last segment to read. */
  readonly first: number;
  readonly last: number;
  /** Whether `last` ends the file. Only then does reading prove the size that was assumed. */
  readonly reachesEnd: boolean;
}

/** Where the sealed segment of that index begins in the ciphertext. */
export const segmentStart = (index: number): number => HEADER_LENGTH + index * SEALED_LENGTH;

/** Bytes of the whole ciphertext. Throws `content.too-large` beyond 2^48. */
export function ciphertextSize(plaintextSize: number): number {
  if (!isSize(plaintextSize)) throw new Fault('content.malformed', { plaintextSize });
  if (plaintextSize > LONGEST_PLAINTEXT) throw new Fault('content.too-large', { plaintextSize });
  return HEADER_LENGTH + plaintextSize + TAG_LENGTH * Math.max(1, Math.ceil(plaintextSize / SEGMENT_LENGTH));
}

/** Bytes of the plaintext. Throws `content.malformed` for a size that no ciphertext has, `content.too-large` beyond 2^48. */
export function plaintextSize(ciphertextSize: number): number {
  const sealed = ciphertextSize - HEADER_LENGTH;
  const segments = Math.max(1, Math.ceil(sealed / SEALED_LENGTH));
  const last = sealed - (segments - 1) * SEALED_LENGTH;
  if (!isSize(ciphertextSize) || last < shortestSealed(segments - 1)) {
    throw new Fault('content.malformed', { ciphertextSize });
  }
  if (segments > MOST_SEGMENTS) throw new Fault('content.too-large', { ciphertextSize });
  return sealed - segments * TAG_LENGTH;
}

/** The last segment is empty in an empty file alone, so that every plaintext has one form. */
export const shortestSealed = (index: number): number => (index === 0 ? TAG_LENGTH : TAG_LENGTH + 1);

/**
 * What to read for a range that is not empty and lies within the plaintext; any other throws `content.range`. Throws like
 * `plaintextSize`. The size comes from whoever stores the file, see `Reading.reachesEnd`.
 */
export function readingOf(plaintext: Span, ciphertextSize: number): Reading {
  const size = plaintextSize(ciphertextSize);
  const { start, end } = plaintext;
  if (!isSize(start) || !isSize(end) || start >= end || end > size) {
    throw new Fault('content.range', { start, end, size });
  }
  const [first, last] = [Math.floor(start / SEGMENT_LENGTH), Math.floor((end - 1) / SEGMENT_LENGTH)];
  const reachesEnd = last === Math.floor((size - 1) / SEGMENT_LENGTH);
  const ciphertext = {
    start: segmentStart(first),
    end: reachesEnd ? ciphertextSize : segmentStart(last + 1),
  };
  return { plaintext, ciphertext, first, last, reachesEnd };
}

const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

import { wipe } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { TAG_LENGTH } from './cipher.js';
import type { Content } from './encryption.js';
import type { FileKey } from './file-key.js';
import { hasMagic, HEADER_LENGTH, openHeader, type StreamKey } from './stream-header.js';
import { type Reading, SEALED_LENGTH, SEGMENT_LENGTH, segmentStart, shortestSealed } from './stream-layout.js';
import { openSegment } from './stream-segment.js';
import { Waiting } from './waiting.js';
import { openWholeFile } from './whole-file.js';

const WHOLE_FILE = 'whole-file';

/**
 * The plaintext of a whole ciphertext, in chunks whose sizes mean nothing. Every chunk is authentic and in its place when
 * it is given out. That nothing is missing is known only when the generator is done: of a file that was cut it gives
 * what was before the cut, and throws then. Holds one segment and one chunk.
 *
 * The whole-file form (nonce, ciphertext, tag; known by the lack of the magic) is taken up to `longestWholeFile` bytes,
 * all of which are held, and the plaintext beside them. 0 takes `ocm-stream-1` alone, as when the share names it.
 *
 * Throws like `openHeader`; `content.broken` for what was changed, cut or put together otherwise; `content.malformed`
 * for lengths that no ciphertext has; `content.too-large` for a longer whole file.
 */
export async function* decryptContent(
  content: Content,
  fileKey: FileKey,
  longestWholeFile = 0,
): AsyncGenerator<Uint8Array> {
  const waiting = new Waiting();
  let form: StreamKey | typeof WHOLE_FILE | undefined;
  let index = 0;
  try {
    for await (const chunk of content) {
      waiting.add(chunk);
      if (waiting.length < HEADER_LENGTH && !form) continue;
      form ??= begin(waiting, fileKey, longestWholeFile);
      if (form === WHOLE_FILE) {
        refuseLonger(waiting, longestWholeFile);
        continue;
      }
      // A full segment may be the last one: it waits for a byte after it.
      while (waiting.length > SEALED_LENGTH) {
        for (const piece of openNext(waiting, SEALED_LENGTH, form, index++, false)) yield piece;
      }
    }
    // A whole file may be shorter than a header.
    form ??= begin(waiting, fileKey, longestWholeFile);
    if (form === WHOLE_FILE) refuseLonger(waiting, longestWholeFile);
    const end =
      form === WHOLE_FILE ? openWholeFile(waiting, fileKey) : openNext(waiting, waiting.length, form, index, true);
    for (const piece of end) yield piece;
  } finally {
    if (typeof form === 'object') wipe(form.key);
  }
}

/**
 * The plaintext of a range, from the bytes `reading.ciphertext` of the file and the key that its header gave
 * (`openHeader`). Every chunk is authentic and in its place when it is given out. The size of the file is proved only if
 * `reading.reachesEnd`; otherwise segments after the range may be missing or changed.
 *
 * Throws `content.broken` for segments that were changed or are not the ones that were asked for, those of another version
 * of the file among them; `content.malformed` when there are more or fewer bytes.
 */
export async function* decryptRange(segments: Content, key: StreamKey, reading: Reading): AsyncGenerator<Uint8Array> {
  const { plaintext, ciphertext, first, last, reachesEnd } = reading;
  const waiting = new Waiting();
  let at = ciphertext.start;
  let index = first;
  for await (const chunk of segments) {
    waiting.add(chunk);
    at += chunk.length;
    if (at > ciphertext.end) throw malformed('longer than the range');
    while (index <= last) {
      const length = index < last ? SEALED_LENGTH : ciphertext.end - segmentStart(last);
      if (waiting.length < length) break;
      let from = index * SEGMENT_LENGTH;
      for (const piece of openNext(waiting, length, key, index, reachesEnd && index === last)) {
        const wanted = piece.subarray(Math.max(0, plaintext.start - from), Math.max(0, plaintext.end - from));
        from += piece.length;
        if (wanted.length > 0) yield wanted;
      }
      index++;
    }
  }
  if (at < ciphertext.end) throw malformed('shorter than the range');
}

/**
 * The same of one stream: the header of the file and, right behind it, the bytes `reading.ciphertext`. Throws like
 * `openHeader`, too.
 */
export async function* decryptHeadedRange(
  content: Content,
  fileKey: FileKey,
  reading: Reading,
): AsyncGenerator<Uint8Array> {
  const waiting = new Waiting();
  const parts = partsOf(content);
  while (waiting.length < HEADER_LENGTH) {
    const part = await parts.next();
    if (part.done) throw malformed('header');
    waiting.add(part.value);
  }
  const key = openHeader(waiting.takeWhole(HEADER_LENGTH), fileKey);
  try {
    yield* decryptRange(behind(waiting, parts), key, reading);
  } finally {
    wipe(key.key);
  }
}

async function* partsOf(content: Content): AsyncGenerator<Uint8Array> {
  yield* content;
}

async function* behind(waiting: Waiting, parts: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (waiting.length > 0) yield waiting.takeWhole(waiting.length);
  yield* parts;
}

/** Takes the header; of a whole file, which has none, nothing. */
function begin(waiting: Waiting, fileKey: FileKey, longestWholeFile: number): StreamKey | typeof WHOLE_FILE {
  const start = waiting.start(HEADER_LENGTH);
  if (longestWholeFile > 0 && !hasMagic(start)) return WHOLE_FILE;
  const key = openHeader(start, fileKey);
  waiting.take(HEADER_LENGTH);
  return key;
}

function refuseLonger(waiting: Waiting, longest: number): void {
  if (waiting.length > longest) throw new Fault('content.too-large', { longest });
}

function openNext(waiting: Waiting, length: number, key: StreamKey, index: number, isLast: boolean): Uint8Array[] {
  if (length < shortestSealed(index)) throw malformed('last segment');
  const sealed = waiting.take(length - TAG_LENGTH);
  return openSegment(key, index, isLast, sealed, waiting.takeWhole(TAG_LENGTH));
}

const malformed = (what: string): Fault => new Fault('content.malformed', { what });

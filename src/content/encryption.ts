import { wipe } from '../kernel/bytes.js';
import type { Dice } from '../kernel/dice.js';
import type { FileKey } from './file-key.js';
import { newHeader } from './stream-header.js';
import { SEGMENT_LENGTH } from './stream-layout.js';
import { sealSegment } from './stream-segment.js';
import { Waiting } from './waiting.js';

/** Bytes in chunks of any sizes. Chunks are not copied: whoever gives one must not write to it any more. */
export type Content = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * The content as an `ocm-stream-1` file, in chunks whose sizes mean nothing. Each call draws a salt of its own, so that
 * the same file key serves any number of contents; what failed half-way is encrypted anew, never continued. Holds
 * one segment and one chunk. Throws `content.too-large` beyond 2^48 bytes. OCM-MLS
 */
export async function* encryptContent(content: Content, fileKey: FileKey, dice: Dice): AsyncGenerator<Uint8Array> {
  const { header, key } = newHeader(fileKey, dice);
  try {
    yield header;
    const waiting = new Waiting();
    let index = 0;
    for await (const chunk of content) {
      waiting.add(chunk);
      // A full segment may be the last one: it waits for a byte after it.
      while (waiting.length > SEGMENT_LENGTH) {
        for (const piece of sealSegment(key, index++, false, waiting.take(SEGMENT_LENGTH))) yield piece;
      }
    }
    for (const piece of sealSegment(key, index, true, waiting.take(waiting.length))) yield piece;
  } finally {
    wipe(key.key);
  }
}

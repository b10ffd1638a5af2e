import { createHash } from 'node:crypto';
import type { Content } from '../content/encryption.js';
import { hasMagic, HEADER_LENGTH } from '../content/stream-header.js';

/** Looks at the first bytes of a ciphertext as it passes. */
export class VersionTap {
  private readonly header = new Uint8Array(HEADER_LENGTH);
  private seen = 0;

  async *through(ciphertext: Content): AsyncGenerator<Uint8Array> {
    for await (const chunk of ciphertext) {
      const part = chunk.subarray(0, HEADER_LENGTH - this.seen);
      this.header.set(part, this.seen);
      this.seen += part.length;
      yield chunk;
    }
  }

  /**
   * What this encryption of the file is told from all others by, as an ETag: its header has a salt that was never used
   * before, and all that follows is bound to that. Undefined before the header has passed, and for the whole-file form.
   */
  get etag(): string | undefined {
    if (this.seen < HEADER_LENGTH || !hasMagic(this.header)) return undefined;
    return `"${createHash('sha256').update(this.header).digest('base64url').slice(0, 27)}"`;
  }
}

/** Whether a file that is known by `etag` is one of those that were asked for. Strong comparison. RFC 9110 section 13.1.1 */
export const isMeant = (ifMatch: string | undefined, etag: string | undefined): boolean =>
  ifMatch === undefined ||
  ifMatch.trim() === '*' ||
  (etag !== undefined && ifMatch.split(',').some((entry) => entry.trim() === etag));

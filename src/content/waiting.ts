/** Chunks below this are gathered into larger ones; copying them costs less than an object for each. */
const SMALL = 4_096;
const ROOM = 16_384;

/**
 * Bytes that have come and wait to be taken, in the pieces they came in. What is large is not copied: whoever gives it
 * must not write to it any more.
 */
export class Waiting {
  length = 0;
  private readonly pieces: Uint8Array[] = [];
  /** Where small chunks are gathered: filled up to `used`, never written twice. */
  private room = new Uint8Array(0);
  private used = 0;

  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.length += chunk.length;
    if (chunk.length < SMALL) this.gather(chunk);
    else this.pieces.push(chunk);
  }

  /** The next so many bytes, in pieces. There must be as many. */
  take(length: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let missing = length;
    let whole = 0;
    while (missing > 0) {
      const piece = this.pieces[whole]!;
      if (piece.length > missing) {
        taken.push(piece.subarray(0, missing));
        this.pieces[whole] = piece.subarray(missing);
        missing = 0;
      } else {
        taken.push(piece);
        missing -= piece.length;
        whole++;
      }
    }
    // The usual case is far cheaper this way, and the other one when there are thousands.
    if (whole === 1) this.pieces.shift();
    else if (whole > 1) this.pieces.splice(0, whole);
    this.length -= length;
    return taken;
  }

  /** A copy of the next so many bytes, or of as many as there are; they go on waiting. */
  start(length: number): Uint8Array {
    return Buffer.concat(this.pieces, Math.min(length, this.length));
  }

  /** The next so many bytes, in one. */
  takeWhole(length: number): Uint8Array {
    const pieces = this.take(length);
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  private gather(chunk: Uint8Array): void {
    if (this.used + chunk.length > this.room.length) {
      this.room = new Uint8Array(ROOM);
      this.used = 0;
    }
    const last = this.pieces.at(-1);
    const joins = last?.buffer === this.room.buffer && last.byteOffset + last.length === this.used;
    const from = joins ? last.byteOffset : this.used;
    this.room.set(chunk, this.used);
    this.used += chunk.length;
    const piece = this.room.subarray(from, this.used);
    if (joins) this.pieces[this.pieces.length - 1] = piece;
    else this.pieces.push(piece);
  }
}

import { toBase64url } from './bytes.js';

/** The only source of randomness in the service; cryptographically strong outside of tests. */
export abstract class Dice {
  abstract bytes(length: number): Uint8Array;

  /** A secret that nobody guesses: 256 bits, in base64url without padding. */
  secret(): string {
    return toBase64url(this.bytes(32));
  }

  /** A random version 4 UUID, lower case (RFC 9562 section 5.4). */
  uuid(): string {
    const raw = this.bytes(16);
    raw[6] = (raw[6]! & 0x0f) | 0x40;
    raw[8] = (raw[8]! & 0x3f) | 0x80;
    return Buffer.from(raw)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
}

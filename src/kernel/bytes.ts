import { timingSafeEqual } from 'node:crypto';
import { Fault } from './fault.js';

/** base64url without padding. OCM-MLS R-007 */
export const toBase64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** Reads base64url with or without padding (OCM-MLS R-008); anything else throws `base64url.malformed`. */
export function fromBase64url(text: string): Uint8Array {
  const bare = text.replace(/={1,2}$/, '');
  const bytes = Buffer.from(bare, 'base64url');
  const padded = bare.length !== text.length && text.length % 4 !== 0;
  // Buffer skips what it does not know; only what encodes back to the same text was base64url.
  if (padded || bytes.toString('base64url') !== bare) throw new Fault('base64url.malformed', { length: text.length });
  return new Uint8Array(bytes);
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Strict: bytes that are not UTF-8 throw `codec.malformed`. A byte order mark is kept as what it is. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Fault('codec.malformed', { what: 'UTF-8 text' }, cause);
  }
}

/** Equality in a time that depends on the lengths only. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

/** Overwrites secrets that are no longer needed. OCM-MLS R-158, RFC 9420 section 9.2 */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

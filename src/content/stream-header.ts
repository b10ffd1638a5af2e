import { hkdfSync } from 'node:crypto';
import { sameBytes, utf8 } from '../kernel/bytes.js';
import type { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { AEADS, type Cipher, CIPHERS } from './cipher.js';
import type { FileKey } from './file-key.js';

/** The format as shares name it, and as a file of it begins. docs/ocm-stream-1.md */
export const FORMAT = 'ocm-stream-1';
const BEGINNING = utf8(FORMAT);
/** The magic is the beginning without the version. */
const MAGIC_LENGTH = BEGINNING.length - 1;

const CIPHER_AT = BEGINNING.length;
const SALT_AT = CIPHER_AT + 2;
const SALT_LENGTH = 32;
const COMMITMENT_AT = SALT_AT + SALT_LENGTH;
const COMMITMENT_LENGTH = 32;
/** Bytes before the first segment. */
export const HEADER_LENGTH = COMMITMENT_AT + COMMITMENT_LENGTH;

const NONCE_PREFIX_LENGTH = 7;

/** What the segments of one ciphertext are sealed with. Secret: wipe `key` after use. */
export interface StreamKey {
  readonly cipher: Cipher;
  readonly key: Uint8Array;
  /** The first 7 bytes of every nonce. */
  readonly noncePrefix: Uint8Array;
}

/** A header with a salt that was never used before, and so a key and nonces that never were. OCM-MLS R-189 */
export function newHeader(fileKey: FileKey, dice: Dice): { readonly header: Uint8Array; readonly key: StreamKey } {
  const header = new Uint8Array(HEADER_LENGTH);
  header.set(BEGINNING);
  new DataView(header.buffer).setUint16(CIPHER_AT, AEADS[fileKey.cipher].id);
  header.set(dice.bytes(SALT_LENGTH), SALT_AT);
  const { commitment, key } = derive(header, fileKey);
  header.set(commitment, COMMITMENT_AT);
  return { header, key };
}

/**
 * Whether a file is of this format, by its first 12 bytes or more: `false` means the whole-file form, and so do fewer
 * bytes. Throws `content.malformed` when it is of another version.
 */
export function hasMagic(start: Uint8Array): boolean {
  if (start.length < BEGINNING.length) return false;
  if (!sameBytes(start.subarray(0, MAGIC_LENGTH), BEGINNING.subarray(0, MAGIC_LENGTH))) return false;
  if (start[MAGIC_LENGTH] !== BEGINNING[MAGIC_LENGTH]) throw malformed('version');
  return true;
}

/**
 * Reads the first 78 bytes of a file; what follows them is not looked at. All of the header is authenticated here, of
 * the segments nothing. Throws `content.malformed`; `content.cipher-differs` when the header names another cipher than the
 * one the key is for; `content.key-mismatch` when the key is another, or the header was changed.
 */
export function openHeader(header: Uint8Array, fileKey: FileKey): StreamKey {
  if (header.length < HEADER_LENGTH || !hasMagic(header)) throw malformed('header');
  const id = new DataView(header.buffer, header.byteOffset).getUint16(CIPHER_AT);
  const cipher = CIPHERS.find((name) => AEADS[name].id === id);
  if (!cipher) throw malformed('cipher');
  if (cipher !== fileKey.cipher) throw new Fault('content.cipher-differs', { named: cipher, expected: fileKey.cipher });
  const { commitment, key } = derive(header, fileKey);
  if (!sameBytes(commitment, header.subarray(COMMITMENT_AT, HEADER_LENGTH))) throw new Fault('content.key-mismatch');
  return key;
}

/** HKDF-SHA256 (RFC 5869). The commitment is exactly the first block, so that no two keys have the same one. */
function derive(header: Uint8Array, { cipher, bytes }: FileKey) {
  const [info, salt] = [header.subarray(0, SALT_AT), header.subarray(SALT_AT, COMMITMENT_AT)];
  const prefixAt = COMMITMENT_LENGTH + AEADS[cipher].keyLength;
  const derived = new Uint8Array(hkdfSync('sha256', bytes, salt, info, prefixAt + NONCE_PREFIX_LENGTH));
  return {
    commitment: derived.subarray(0, COMMITMENT_LENGTH),
    key: {
      cipher,
      key: derived.subarray(COMMITMENT_LENGTH, prefixAt),
      noncePrefix: derived.subarray(prefixAt),
    },
  };
}

const malformed = (what: string): Fault => new Fault('content.malformed', { what });

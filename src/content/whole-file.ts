import { createDecipheriv } from 'node:crypto';
import { Fault } from '../kernel/fault.js';
import { AEADS, NONCE_LENGTH, TAG_LENGTH } from './cipher.js';
import type { FileKey } from './file-key.js';
import type { Waiting } from './waiting.js';

/**
 * Opens `nonce || ciphertext || tag`, encrypted with the file key itself and no associated data: the form of those who
 * know no other. All of it must have come, for nothing is authentic before the tag was checked. Throws
 * `content.malformed` when it is too short, `content.broken` when the tag is wrong: another key, or changed bytes.
 */
export function openWholeFile(sealed: Waiting, { cipher, bytes }: FileKey): Uint8Array[] {
  const length = sealed.length - NONCE_LENGTH - TAG_LENGTH;
  if (length < 0) throw new Fault('content.malformed', { what: 'length' });
  const { algorithm } = AEADS[cipher];
  const nonce = sealed.takeWhole(NONCE_LENGTH);
  const aead = createDecipheriv(algorithm as 'aes-256-gcm', bytes, nonce, { authTagLength: TAG_LENGTH });
  const plaintext = sealed.take(length).map((piece) => aead.update(piece));
  aead.setAuthTag(sealed.takeWhole(TAG_LENGTH));
  try {
    aead.final();
  } catch (cause) {
    throw new Fault('content.broken', {}, cause);
  }
  return plaintext;
}

import type { Brand } from '../kernel/brand.js';
import type { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { AEADS, type Cipher } from './cipher.js';

/** The key of one resource, of the length that its cipher takes. Secret: wipe `bytes` after use. */
export type FileKey = Brand<{ readonly cipher: Cipher; readonly bytes: Uint8Array }, 'FileKey'>;

/** The bytes are not copied. A length other than the cipher's throws `content.key-length`. OCM-MLS R-166 */
export function fileKey(cipher: Cipher, bytes: Uint8Array): FileKey {
  const { keyLength } = AEADS[cipher];
  if (bytes.length !== keyLength) throw new Fault('content.key-length', { cipher, length: bytes.length });
  return { cipher, bytes } as FileKey;
}

/** A random file key of the cipher's length. OCM-MLS R-166 */
export const newFileKey = (cipher: Cipher, dice: Dice): FileKey => fileKey(cipher, dice.bytes(AEADS[cipher].keyLength));

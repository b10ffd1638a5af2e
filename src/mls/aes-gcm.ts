import { createCipheriv, createDecipheriv } from 'node:crypto';

const CIPHER = 'aes-128-gcm';
const TAG_LENGTH = 16;

/** The ciphertext with its tag behind it. RFC 5116 section 5.1 */
export function encrypt(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(aad);
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** Throws when anything was changed, or when `sealed` is too short to hold a tag. */
export function decrypt(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.length < TAG_LENGTH) throw new RangeError('shorter than a tag');
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_LENGTH });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
  return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_LENGTH)), decipher.final()]));
}

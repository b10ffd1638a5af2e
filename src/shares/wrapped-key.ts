import type { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { opaque, struct } from '../kernel/tls.js';
import { utf8 } from '../kernel/bytes.js';
import { decrypt, encrypt } from '../mls/aes-gcm.js';
import type { FileKey } from '../content/file-key.js';
import type { Wrapping } from '../mls/group-key.js';
import type { MlsEncryption } from '../ocm/share-encryption.js';

/** The file key of a shared resource, for who may have it. Secret: wipe its bytes after use. */
export interface OpenedKey {
  readonly encryption: MlsEncryption;
  readonly key: FileKey;
}

const NONCE = 12;
const TAG = 16;
/** Of the file keys that a content cipher takes, in bytes. OCM-MLS R-166 */
const KEY_LENGTHS = [16, 32];

/** What a wrapped key may measure, in bytes: nonce, file key, tag. */
export const WRAPPED_LENGTHS: readonly number[] = KEY_LENGTHS.map((length) => NONCE + length + TAG);

/** struct FKWrapAAD. The MLS `group_id` is no part of it. OCM-MLS R-168 */
const fkWrapAad = struct<{ groupAddress: Uint8Array; resourceId: Uint8Array }>({
  groupAddress: opaque, // opaque group_ocm_address<V>;
  resourceId: opaque, //   opaque resource_id<V>;
});

const aadOf = (label: string, resourceId: string) =>
  fkWrapAad.write({ groupAddress: utf8(label), resourceId: utf8(resourceId) });

/**
 * A file key under the Group Key: nonce || ciphertext || tag, with the AEAD of the group's suite whatever the cipher of
 * the content, under a random nonce. OCM-MLS R-168
 */
export function wrapFileKey({ groupKey, label }: Wrapping, resourceId: string, fileKey: Uint8Array, dice: Dice) {
  const nonce = dice.bytes(NONCE);
  return new Uint8Array(Buffer.concat([nonce, encrypt(groupKey, nonce, aadOf(label, resourceId), fileKey)]));
}

/** Throws `file-key.unopenable` for another Group Key, group or resource, and for a wrapped key of no good length. */
export function unwrapFileKey({ groupKey, label }: Wrapping, resourceId: string, wrapped: Uint8Array): Uint8Array {
  if (!WRAPPED_LENGTHS.includes(wrapped.length)) throw new Fault('file-key.unopenable', { length: wrapped.length });
  try {
    return decrypt(groupKey, wrapped.subarray(0, NONCE), aadOf(label, resourceId), wrapped.subarray(NONCE));
  } catch (cause) {
    throw new Fault('file-key.unopenable', { resourceId }, cause);
  }
}

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Fault } from '../kernel/fault.js';
import { AEADS, NONCE_LENGTH, TAG_LENGTH } from './cipher.js';
import type { StreamKey } from './stream-header.js';
import { MOST_SEGMENTS } from './stream-layout.js';

/**
 * Seals the segment of that index (from 0), given in pieces; the tag comes last. Throws `content.too-large` when there
 * is no such index. STREAM: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
 * Misuse-Resistance" (CRYPTO 2015) section 7
 */
export function sealSegment(
  key: StreamKey,
  index: number,
  isLast: boolean,
  plaintext: readonly Uint8Array[],
): Uint8Array[] {
  const aead = createCipheriv(...parameters(key, index, isLast));
  const sealed: Uint8Array[] = plaintext.map((piece) => aead.update(piece));
  aead.final();
  sealed.push(aead.getAuthTag());
  return sealed;
}

/**
 * The plaintext of a sealed segment, in pieces, once its tag has been found right. Otherwise `content.broken` is thrown:
 * something was changed, or the segment does not stand there, or is (not) the last one.
 */
export function openSegment(
  key: StreamKey,
  index: number,
  isLast: boolean,
  sealed: readonly Uint8Array[],
  tag: Uint8Array,
): Uint8Array[] {
  const aead = createDecipheriv(...parameters(key, index, isLast));
  aead.setAuthTag(tag);
  const plaintext = sealed.map((piece) => aead.update(piece));
  try {
    aead.final();
  } catch (cause) {
    throw new Fault('content.broken', { segment: index }, cause);
  }
  return plaintext;
}

function parameters({ cipher, key, noncePrefix }: StreamKey, index: number, isLast: boolean) {
  if (index >= MOST_SEGMENTS) throw new Fault('content.too-large', { segments: index + 1 });
  const nonce = Buffer.allocUnsafe(NONCE_LENGTH);
  nonce.set(noncePrefix);
  nonce.writeUInt8(isLast ? 1 : 0, nonce.writeUInt32BE(index, noncePrefix.length));
  return [AEADS[cipher].algorithm as 'aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH }] as const;
}

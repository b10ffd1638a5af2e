import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

/** docs/ocm-stream-1.md once more, in one go and from the page alone. Nothing of `src` may be imported here. */
const SUITES = {
  'AES-128-GCM': [1, 16, 'aes-128-gcm'],
  'AES-256-GCM': [2, 32, 'aes-256-gcm'],
  'CHACHA20-POLY1305': [3, 32, 'chacha20-poly1305'],
} as const;
export type CipherName = keyof typeof SUITES;

const SEGMENT = 65536;

export function derive(cipher: CipherName, fileKey: Uint8Array, salt: Uint8Array) {
  const [id, keyLength] = SUITES[cipher];
  const info = Buffer.concat([Buffer.from('ocm-stream-1', 'ascii'), Buffer.from([0, id])]);
  const all = Buffer.from(hkdfSync('sha256', fileKey, salt, info, 32 + keyLength + 7));
  const [commitment, key, prefix] = [all.subarray(0, 32), all.subarray(32, -7), all.subarray(-7)];
  return { header: Buffer.concat([info, salt, commitment]), commitment, key, prefix };
}

/** `last` says otherwise than the page which segment is the last, to make files that must be refused. */
export function sealOne(
  cipher: CipherName,
  { key, prefix }: { key: Uint8Array; prefix: Uint8Array },
  index: number,
  last: boolean,
  plaintext: Uint8Array,
): Buffer {
  const counter = Buffer.from([index >>> 24, index >>> 16, index >>> 8, index]);
  const nonce = Buffer.concat([prefix, counter, Buffer.from([last ? 1 : 0])]);
  const aead = createCipheriv(SUITES[cipher][2] as 'aes-128-gcm', key, nonce, { authTagLength: 16 });
  return Buffer.concat([aead.update(plaintext), aead.final(), aead.getAuthTag()]);
}

export function encrypt(cipher: CipherName, fileKey: Uint8Array, salt: Uint8Array, plaintext: Uint8Array): Buffer {
  const derived = derive(cipher, fileKey, salt);
  const parts: Buffer[] = [derived.header];
  let index = 0;
  for (let at = 0; at === 0 || at < plaintext.length; at += SEGMENT) {
    const isLast = at + SEGMENT >= plaintext.length;
    parts.push(sealOne(cipher, derived, index++, isLast, plaintext.subarray(at, at + SEGMENT)));
  }
  return Buffer.concat(parts);
}

export function decrypt(cipher: CipherName, fileKey: Uint8Array, file: Buffer): Buffer {
  const { header, key, prefix } = derive(cipher, fileKey, file.subarray(14, 46));
  if (!file.subarray(0, 78).equals(header)) throw new Error('header');
  const parts: Buffer[] = [];
  let index = 0;
  for (let at = 78; at === 78 || at < file.length; at += SEGMENT + 16) {
    const sealed = file.subarray(at, at + SEGMENT + 16);
    if (sealed.length < (index === 0 ? 16 : 17)) throw new Error('length');
    const nonce = Buffer.alloc(12, prefix);
    nonce.writeUInt32BE(index++, 7);
    nonce[11] = at + sealed.length === file.length ? 1 : 0;
    const aead = createDecipheriv(SUITES[cipher][2] as 'aes-128-gcm', key, nonce, { authTagLength: 16 });
    aead.setAuthTag(sealed.subarray(-16));
    parts.push(Buffer.concat([aead.update(sealed.subarray(0, -16)), aead.final()]));
  }
  return Buffer.concat(parts);
}

/** `nonce || ciphertext || tag` under the file key itself. */
export function encryptWhole(cipher: CipherName, fileKey: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array) {
  const aead = createCipheriv(SUITES[cipher][2] as 'aes-128-gcm', fileKey, nonce, { authTagLength: 16 });
  return Buffer.concat([nonce, aead.update(plaintext), aead.final(), aead.getAuthTag()]);
}

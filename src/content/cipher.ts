/** The AEADs that content may be encrypted with, by their names of RFC 9180 section 7.3. OCM-MLS R-164 */
export const CIPHERS = ['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305'] as const;
export type Cipher = (typeof CIPHERS)[number];

/** Bytes of a nonce and of a tag, the same for all three. RFC 9180 section 7.3 */
export const NONCE_LENGTH = 12;
export const TAG_LENGTH = 16;

interface Aead {
  /** The identifier of RFC 9180 section 7.3. */
  readonly id: number;
  readonly keyLength: number;
  /** The name that OpenSSL knows. */
  readonly algorithm: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
}

export const AEADS: Readonly<Record<Cipher, Aead>> = {
  'AES-128-GCM': { id: 0x0001, keyLength: 16, algorithm: 'aes-128-gcm' },
  'AES-256-GCM': { id: 0x0002, keyLength: 32, algorithm: 'aes-256-gcm' },
  'CHACHA20-POLY1305': { id: 0x0003, keyLength: 32, algorithm: 'chacha20-poly1305' },
};

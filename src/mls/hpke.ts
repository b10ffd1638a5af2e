import { createHmac, diffieHellman, type KeyObject, type webcrypto } from 'node:crypto';
import type { Hpke, PrivateKey, PublicKey } from 'ts-mls';
import { utf8 } from '../kernel/bytes.js';
import type { Dice } from '../kernel/dice.js';
import { decrypt, encrypt } from './aes-gcm.js';
import { privateKey, publicKey, x25519Public } from './raw-keys.js';

declare global {
  /** The library declares its keys by this global of node, whose types do not have it. */
  type CryptoKey = webcrypto.CryptoKey;
}

/**
 * HPKE in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM. RFC 9180
 * Secrets of at most one hash length are asked for, so that one HMAC is a whole HKDF-Expand.
 */
const KEM_SUITE = Buffer.concat([utf8('KEM'), Uint8Array.of(0x00, 0x20)]);
const HPKE_SUITE = Buffer.concat([utf8('HPKE'), Uint8Array.of(0x00, 0x20, 0x00, 0x01, 0x00, 0x01)]);
const VERSION = utf8('HPKE-v1');
const NONE = new Uint8Array();
const KEY_LENGTH = 16;
const NONCE_LENGTH = 12;
const HASH_LENGTH = 32;
const BASE_MODE = Uint8Array.of(0);

/** A key of either half, with the form that OpenSSL works on made when it is first needed. */
class Key {
  #object?: KeyObject;

  constructor(
    readonly half: 'public' | 'private',
    readonly raw: Uint8Array,
  ) {}

  get object(): KeyObject {
    return (this.#object ??= (this.half === 'public' ? publicKey : privateKey)('X25519', this.raw));
  }
}

// The library never looks inside of a key: it is whatever the provider made.
const asPublic = (raw: Uint8Array): PublicKey => new Key('public', raw) as unknown as PublicKey;
const asPrivate = (raw: Uint8Array): PrivateKey => new Key('private', raw) as unknown as PrivateKey;
const keyOf = (key: PublicKey | PrivateKey): Key => key as unknown as Key;

const hmac = (key: Uint8Array, ...parts: Uint8Array[]): Uint8Array => {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
};

/** RFC 9180 section 4 */
const labeledExtract = (suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array =>
  hmac(salt, VERSION, suite, utf8(label), ikm);

/** RFC 9180 section 4, for up to one hash length. */
const labeledExpand = (suite: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number) => {
  if (length > HASH_LENGTH) throw new RangeError('longer than one hash');
  const size = Uint8Array.of(length >> 8, length & 0xff);
  return hmac(prk, size, VERSION, suite, utf8(label), info, Uint8Array.of(1)).subarray(0, length);
};

const PSK_ID_HASH = labeledExtract(HPKE_SUITE, NONE, 'psk_id_hash', NONE);

/** ExtractAndExpand of the KEM. OpenSSL refuses the all-zero result of a low-order point. RFC 9180 sections 4.1, 7.1.4 */
function sharedSecret(secret: KeyObject, peer: KeyObject, enc: Uint8Array, recipient: Uint8Array): Uint8Array {
  const dh = diffieHellman({ privateKey: secret, publicKey: peer });
  const prk = labeledExtract(KEM_SUITE, NONE, 'eae_prk', dh);
  return labeledExpand(KEM_SUITE, prk, 'shared_secret', Buffer.concat([enc, recipient]), HASH_LENGTH);
}

interface Encapsulated {
  readonly enc: Uint8Array;
  readonly shared: Uint8Array;
}

function encapsulate(to: Key, dice: Dice): Encapsulated {
  const ephemeral = privateKey('X25519', dice.bytes(32));
  const enc = x25519Public(ephemeral);
  return { enc, shared: sharedSecret(ephemeral, to.object, enc, to.raw) };
}

const decapsulate = (own: Key, enc: Uint8Array): Uint8Array =>
  sharedSecret(own.object, publicKey('X25519', enc), enc, x25519Public(own.object));

/** The key schedule of base mode, for a single message. RFC 9180 section 5.1 */
function schedule(shared: Uint8Array, info: Uint8Array) {
  const context = Buffer.concat([BASE_MODE, PSK_ID_HASH, labeledExtract(HPKE_SUITE, NONE, 'info_hash', info)]);
  const secret = labeledExtract(HPKE_SUITE, shared, 'secret', NONE);
  return {
    key: () => labeledExpand(HPKE_SUITE, secret, 'key', context, KEY_LENGTH),
    nonce: () => labeledExpand(HPKE_SUITE, secret, 'base_nonce', context, NONCE_LENGTH),
    exported: (exporterContext: Uint8Array, length: number) => {
      const exporter = labeledExpand(HPKE_SUITE, secret, 'exp', context, HASH_LENGTH);
      return labeledExpand(HPKE_SUITE, exporter, 'sec', exporterContext, length);
    },
  };
}

/** RFC 9180 section 7.1.3 */
function derived(ikm: Uint8Array): { privateKey: PrivateKey; publicKey: PublicKey } {
  const prk = labeledExtract(KEM_SUITE, NONE, 'dkp_prk', ikm);
  const seed = labeledExpand(KEM_SUITE, prk, 'sk', NONE, 32);
  return { privateKey: asPrivate(seed), publicKey: asPublic(x25519Public(privateKey('X25519', seed))) };
}

/** HPKE for the library; the AEAD of the suite comes with it. A key, a ciphertext or a tag that is wrong throws. */
export const hpke = (dice: Dice): Hpke => ({
  keyLength: KEY_LENGTH,
  nonceLength: NONCE_LENGTH,
  seal: async (to, plaintext, info, aad = NONE) => {
    const { enc, shared } = encapsulate(keyOf(to), dice);
    const { key, nonce } = schedule(shared, info);
    return { enc, ct: encrypt(key(), nonce(), aad, plaintext) };
  },
  open: async (own, enc, ciphertext, info, aad = NONE) => {
    const { key, nonce } = schedule(decapsulate(keyOf(own), enc), info);
    return decrypt(key(), nonce(), aad, ciphertext);
  },
  exportSecret: async (to, exporterContext, length, info) => {
    const { enc, shared } = encapsulate(keyOf(to), dice);
    return { enc, secret: schedule(shared, info).exported(exporterContext, length) };
  },
  importSecret: async (own, exporterContext, enc, length, info) =>
    schedule(decapsulate(keyOf(own), enc), info).exported(exporterContext, length),
  importPublicKey: async (raw) => asPublic(raw),
  importPrivateKey: async (raw) => asPrivate(raw),
  exportPublicKey: async (key) => keyOf(key).raw,
  exportPrivateKey: async (key) => keyOf(key).raw,
  deriveKeyPair: async (ikm) => derived(ikm),
  generateKeyPair: async () => derived(dice.bytes(32)),
  encryptAead: async (key, nonce, aad, plaintext) => encrypt(key, nonce, aad ?? NONE, plaintext),
  decryptAead: async (key, nonce, aad, ciphertext) => decrypt(key, nonce, aad ?? NONE, ciphertext),
});

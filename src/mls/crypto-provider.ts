import { createHmac, hash, sign, verify } from 'node:crypto';
import type { CryptoProvider, Hash, Kdf, Signature } from 'ts-mls';
import { sameBytes } from '../kernel/bytes.js';
import type { Dice } from '../kernel/dice.js';
import { hpke } from './hpke.js';
import { ed25519Public, privateKey, publicKey } from './raw-keys.js';

export const SUITE_NAME = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519';

const HASH_LENGTH = 32;
const SIGNATURE_LENGTH = 64;

const hmac = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac('sha256', key).update(data).digest());

/** RFC 5869 section 2.3 */
function expand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let block: Uint8Array = new Uint8Array(), at = 1; (at - 1) * HASH_LENGTH < length; at++) {
    block = hmac(prk, Buffer.concat([block, info, Uint8Array.of(at)]));
    blocks.push(block);
  }
  return blocks.length === 1
    ? blocks[0]!.subarray(0, length)
    : new Uint8Array(Buffer.concat(blocks)).subarray(0, length);
}

const sha256: Hash = {
  digest: async (data) => new Uint8Array(hash('sha256', data, 'buffer')),
  mac: async (key, data) => hmac(key, data),
  verifyMac: async (key, mac, data) => sameBytes(hmac(key, data), mac),
};

const hkdf: Kdf = {
  size: HASH_LENGTH,
  extract: async (salt, ikm) => hmac(salt, ikm),
  expand: async (prk, info, length) => expand(prk, info, length),
};

/** Private keys are seeds of 32 bytes. RFC 8032 section 5.1 */
const ed25519 = (dice: Dice): Signature => ({
  sign: async (seed, message) => new Uint8Array(sign(null, message, privateKey('Ed25519', seed))),
  verify: async (key, message, signature) =>
    key.length === 32 &&
    signature.length === SIGNATURE_LENGTH &&
    verify(null, message, publicKey('Ed25519', key), signature),
  keygen: async () => {
    const signKey = dice.bytes(32);
    return { signKey, publicKey: ed25519Public(signKey) };
  },
});

/**
 * The primitives of suite 0x0001 by node:crypto: some six times faster than WebCrypto, whose every call leaves the
 * thread. All randomness comes from `dice`. RFC 9420 section 17.1
 */
export const cryptoProvider = (dice: Dice): CryptoProvider => ({
  async getCiphersuiteImpl({ name }) {
    if (name !== SUITE_NAME) throw new RangeError(`suite ${name} is not provided`);
    const rng = { randomBytes: (length: number) => dice.bytes(length) };
    return { name, rng, kdf: hkdf, hash: sha256, signature: ed25519(dice), hpke: hpke(dice) };
  },
});

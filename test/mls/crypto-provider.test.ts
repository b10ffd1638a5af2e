import {
  ciphersuites,
  defaultCryptoProvider,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  mlsExporter,
  type CiphersuiteImpl,
} from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/kernel/bytes.js';
import { Dice } from '../../src/kernel/dice.js';
import { cryptoProvider, SUITE_NAME } from '../../src/mls/crypto-provider.js';
import { ed25519Public, privateKey, x25519Public } from '../../src/mls/raw-keys.js';
import { suiteFrom } from '../../src/mls/suite.js';
import { TestDice } from '../support/dice.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** Throws what it was given. */
class LoadedDice extends Dice {
  constructor(private readonly next: Uint8Array) {
    super();
  }

  bytes(): Uint8Array {
    return this.next;
  }
}

describe('published vectors', () => {
  test("X25519: Bob's public key of RFC 7748 section 6.1", () => {
    const bob = privateKey('X25519', hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'));
    expect(toHex(x25519Public(bob))).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
  });

  test('Ed25519: the public key and the signature of RFC 8032 section 7.1, test 2', async () => {
    const seed = hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
    expect(toHex(ed25519Public(seed))).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    const { signature } = await suiteFrom(new TestDice('rfc8032'));
    expect(toHex(await signature.sign(seed, hex('72')))).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
  });

  test('HPKE: encapsulation, encryption and export of RFC 9180 appendix A.1.1', async () => {
    const ephemeral = hex('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736');
    const { hpke } = await suiteFrom(new LoadedDice(ephemeral));
    const recipient = await hpke.importPublicKey(
      hex('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d'),
    );
    const info = hex('4f6465206f6e2061204772656369616e2055726e');
    const sealed = await hpke.seal(
      recipient,
      hex('4265617574792069732074727574682c20747275746820626561757479'),
      info,
      utf8('Count-0'),
    );
    expect(toHex(sealed.enc)).toBe('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431');
    expect(toHex(sealed.ct)).toBe(
      'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
    );
    const { secret } = await hpke.exportSecret(recipient, new Uint8Array(), 32, info);
    expect(toHex(secret)).toBe('3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee');
  });

  test('HPKE: the key pairs derived in RFC 9180 appendix A.1.1', async () => {
    const { hpke } = await suiteFrom(new TestDice('rfc9180'));
    const pair = await hpke.deriveKeyPair(hex('6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037'));
    expect(toHex(await hpke.exportPrivateKey(pair.privateKey))).toBe(
      '4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8',
    );
    expect(toHex(await hpke.exportPublicKey(pair.publicKey))).toBe(
      '3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d',
    );
  });
});

describe('against the provider that comes with the library', () => {
  let ours: CiphersuiteImpl;
  let theirs: CiphersuiteImpl;
  const [info, aad, plaintext] = [utf8('info'), utf8('aad'), utf8('a path secret of some thirty bytes')];

  beforeAll(async () => {
    const suite = getCiphersuiteFromName(SUITE_NAME);
    ours = await getCiphersuiteImpl(suite, cryptoProvider(new TestDice('cross')));
    theirs = await getCiphersuiteImpl(suite, defaultCryptoProvider);
  });

  /** Runs with both as the one who does it and the one who checks it. */
  const bothWays = (name: string, run: (a: CiphersuiteImpl, b: CiphersuiteImpl) => Promise<void>) => {
    test(`${name}: made here, read there`, () => run(ours, theirs));
    test(`${name}: made there, read here`, () => run(theirs, ours));
  };
  const carry = async (raw: Uint8Array, to: CiphersuiteImpl) => to.hpke.importPrivateKey(raw);

  bothWays('a sealed secret', async (a, b) => {
    const pair = await b.hpke.generateKeyPair();
    const to = await a.hpke.importPublicKey(await b.hpke.exportPublicKey(pair.publicKey));
    for (const additional of [undefined, aad]) {
      const { enc, ct } = await a.hpke.seal(to, plaintext, info, additional);
      const own = await carry(await b.hpke.exportPrivateKey(pair.privateKey), b);
      expect(toHex(await b.hpke.open(own, enc, ct, info, additional))).toBe(toHex(plaintext));
      await expect(b.hpke.open(own, enc, ct, utf8('other'), additional)).rejects.toThrow();
    }
  });

  bothWays('an exported secret', async (a, b) => {
    const pair = await b.hpke.generateKeyPair();
    const to = await a.hpke.importPublicKey(await b.hpke.exportPublicKey(pair.publicKey));
    const { enc, secret } = await a.hpke.exportSecret(to, aad, 32, info);
    expect(toHex(await b.hpke.importSecret(pair.privateKey, aad, enc, 32, info))).toBe(toHex(secret));
  });

  bothWays('a derived key pair', async (a, b) => {
    const [one, other] = [await a.hpke.deriveKeyPair(plaintext), await b.hpke.deriveKeyPair(plaintext)];
    expect(toHex(await a.hpke.exportPrivateKey(one.privateKey))).toBe(
      toHex(await b.hpke.exportPrivateKey(other.privateKey)),
    );
    expect(toHex(await a.hpke.exportPublicKey(one.publicKey))).toBe(
      toHex(await b.hpke.exportPublicKey(other.publicKey)),
    );
  });

  bothWays('an AEAD message', async (a, b) => {
    const [key, nonce] = [new Uint8Array(16).fill(1), new Uint8Array(12).fill(2)];
    const sealed = await a.hpke.encryptAead(key, nonce, aad, plaintext);
    expect(toHex(await b.hpke.decryptAead(key, nonce, aad, sealed))).toBe(toHex(plaintext));
    await expect(b.hpke.decryptAead(key, nonce, aad, sealed.subarray(1))).rejects.toThrow();
    await expect(b.hpke.decryptAead(key, nonce, aad, sealed.subarray(0, 5))).rejects.toThrow();
  });

  bothWays('a signature', async (a, b) => {
    const seed = new Uint8Array(32).fill(5);
    const made = await a.signature.sign(seed, plaintext);
    expect(await b.signature.verify(ed25519Public(seed), plaintext, made)).toBe(true);
    expect(await b.signature.verify(ed25519Public(seed), aad, made)).toBe(false);
  });

  bothWays('hash, MAC and HKDF', async (a, b) => {
    expect(toHex(await a.hash.digest(plaintext))).toBe(toHex(await b.hash.digest(plaintext)));
    const mac = await a.hash.mac(plaintext, aad);
    expect(await b.hash.verifyMac(plaintext, mac, aad)).toBe(true);
    expect(await b.hash.verifyMac(plaintext, mac, info)).toBe(false);
    const salt = new Uint8Array(32).fill(9);
    const [prk, same] = [await a.kdf.extract(salt, plaintext), await b.kdf.extract(salt, plaintext)];
    expect(toHex(prk)).toBe(toHex(same));
    for (const length of [12, 16, 32, 33, 100]) {
      expect(toHex(await a.kdf.expand(prk, info, length))).toBe(toHex(await b.kdf.expand(prk, info, length)));
    }
    expect(toHex(await mlsExporter(prk, 'label', aad, 16, a))).toBe(toHex(await mlsExporter(prk, 'label', aad, 16, b)));
  });
});

describe('the provider', () => {
  test('R-052 the suite is MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519, 0x0001', async () => {
    const suite = await suiteFrom(new TestDice('suite'));
    expect(ciphersuites[suite.name]).toBe(0x0001);
    expect([suite.hpke.keyLength, suite.hpke.nonceLength, suite.kdf.size]).toEqual([16, 12, 32]);
  });

  test('another suite is not provided', async () => {
    const other = getCiphersuiteFromName('MLS_128_DHKEMP256_AES128GCM_SHA256_P256');
    await expect(getCiphersuiteImpl(other, cryptoProvider(new TestDice('other')))).rejects.toThrow(RangeError);
  });

  test('all randomness comes from the dice', async () => {
    const [one, same] = [await suiteFrom(new TestDice('d')), await suiteFrom(new TestDice('d'))];
    expect(await one.signature.keygen()).toEqual(await same.signature.keygen());
    const key = async (suite: CiphersuiteImpl) =>
      toHex(await suite.hpke.exportPublicKey((await suite.hpke.generateKeyPair()).publicKey));
    expect(await key(one)).toBe(await key(same));
    expect(one.rng.randomBytes(8)).toEqual(same.rng.randomBytes(8));
  });

  test('keys of a wrong length, and points that give an all-zero secret, are refused', async () => {
    const { hpke, signature } = await suiteFrom(new TestDice('bad'));
    const [zeros, short] = [new Uint8Array(32), new Uint8Array(31)];
    for (const raw of [zeros, short]) {
      await expect(hpke.seal(await hpke.importPublicKey(raw), plain, plain)).rejects.toThrow();
    }
    expect(await signature.verify(short, plain, new Uint8Array(64))).toBe(false);
    expect(await signature.verify(ed25519Public(zeros), plain, new Uint8Array(63))).toBe(false);
    await expect(signature.sign(short, plain)).rejects.toThrow(RangeError);
  });
  const plain = utf8('plain');
});

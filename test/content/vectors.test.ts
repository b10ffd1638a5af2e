import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encryptContent } from '../../src/content/encryption.js';
import { fileKey } from '../../src/content/file-key.js';
import { openHeader } from '../../src/content/stream-header.js';
import { toHex } from '../../src/kernel/bytes.js';
import * as page from './by-the-page.js';
import { chunked, gathered, Loaded, outcome, plain } from './bytes.js';

interface Vector {
  readonly cipher: page.CipherName;
  readonly fileKey: string;
  readonly salt: string;
  readonly commitment: string;
  readonly key: string;
  readonly noncePrefix: string;
  readonly files: readonly {
    readonly plaintextLength: number;
    readonly ciphertext?: string;
    readonly ciphertextLength?: number;
    readonly sha256?: string;
  }[];
}

const text = readFileSync('docs/ocm-stream-1.md', 'utf8');
const vectors = JSON.parse(text.slice(text.indexOf('```json\n[') + 8, text.lastIndexOf('```'))) as Vector[];
const hex = (value: string) => Buffer.from(value, 'hex');
const found = (file: Uint8Array) =>
  file.length < 200
    ? { ciphertext: toHex(file) }
    : { ciphertextLength: file.length, sha256: createHash('sha256').update(file).digest('hex') };

test('the page has vectors for every cipher, small ones in full and others around the borders of segments', () => {
  expect(vectors.map(({ cipher }) => cipher)).toEqual(['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305']);
  for (const { files } of vectors) {
    expect(files.map(({ plaintextLength }) => plaintextLength)).toEqual([
      0, 1, 20, 65535, 65536, 65537, 131072, 131073,
    ]);
    expect(files.slice(0, 3).every(({ ciphertext }) => ciphertext !== undefined)).toBe(true);
    expect(files.slice(3).every(({ sha256 }) => sha256 !== undefined)).toBe(true);
  }
});

describe.each(vectors)('the vectors of $cipher', ({ cipher, files, ...vector }) => {
  const [key, salt] = [fileKey(cipher, hex(vector.fileKey)), hex(vector.salt)];

  test('hold for the key and the nonce prefix', () => {
    const { header, ...derived } = page.derive(cipher, key.bytes, salt);
    expect(openHeader(header, key)).toEqual({
      cipher,
      key: new Uint8Array(hex(vector.key)),
      noncePrefix: new Uint8Array(hex(vector.noncePrefix)),
    });
    expect(toHex(derived.commitment)).toBe(vector.commitment);
  });

  test.each(files)('hold for $plaintextLength bytes', async ({ plaintextLength, ...expected }) => {
    const plaintext = plain(plaintextLength);
    const file = await gathered(encryptContent(chunked(plaintext, [50_000]), key, new Loaded(salt)));
    expect(found(file)).toEqual(expected);
    expect(found(page.encrypt(cipher, key.bytes, salt, plaintext))).toEqual(expected);
    expect((await outcome(file, key)).given.equals(plaintext)).toBe(true);
    expect(page.decrypt(cipher, key.bytes, file).equals(plaintext)).toBe(true);
  });
});

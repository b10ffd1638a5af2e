import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import { type Cipher, NONCE_LENGTH, TAG_LENGTH } from '../../src/content/cipher.js';
import { decryptContent } from '../../src/content/decryption.js';
import { encryptContent } from '../../src/content/encryption.js';
import { newFileKey } from '../../src/content/file-key.js';
import { gathered } from '../content/bytes.js';
import { TestDice } from '../support/dice.js';
import { type Comparison, compare, elapsed } from './measure.js';

const MIB = 1_048_576;
/** As files and sockets of Node give them. */
const CHUNK = 65_536;
const POOL = randomFillSync(Buffer.allocUnsafe(16 * MIB));
const dice = new TestDice('bench');

/** So many bytes in chunks that are not made anew, so that only what is done with them costs. */
async function* bytes(mebibytes: number): AsyncGenerator<Uint8Array> {
  const chunks = POOL.length / CHUNK;
  for (let chunk = 0; chunk < (mebibytes * MIB) / CHUNK; chunk++) {
    const at = (chunk % chunks) * CHUNK;
    yield POOL.subarray(at, at + CHUNK);
  }
}

async function* cut(file: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += CHUNK) yield file.subarray(at, at + CHUNK);
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) void chunk;
}

/**
 * Streams against `node:crypto` over the same chunks: as one message with one cipher, and with a cipher for each 64 KiB, which
 * is what the format costs whoever writes it in Node.
 */
export async function benchStream(cipher: Cipher, mebibytes: number): Promise<Comparison[]> {
  const key = newFileKey(cipher, dice);
  const algorithm = cipher.toLowerCase() as 'aes-256-gcm';
  const bare = [algorithm, key.bytes, dice.bytes(NONCE_LENGTH), { authTagLength: TAG_LENGTH }] as const;
  const common = { ours: 'ocm-stream-1', concurrency: 1 };
  const encrypting = {
    ...common,
    what: `encrypt ${mebibytes} MiB, ${cipher}`,
    operations: 1,
    doOurs: () => drain(encryptContent(bytes(mebibytes), key, dice)),
  };
  const whole = await compare({
    ...encrypting,
    bare: 'one cipher',
    doBare: async () => {
      const aead = createCipheriv(...bare);
      for await (const chunk of bytes(mebibytes)) aead.update(chunk);
      aead.final();
    },
  });
  const segments = await compare({
    ...encrypting,
    bare: 'one per 64 KiB',
    doBare: async () => {
      for await (const chunk of bytes(mebibytes)) {
        const aead = createCipheriv(...bare);
        aead.update(chunk);
        aead.final();
        aead.getAuthTag();
      }
    },
  });
  // A part, several times: hundreds of MiB held in buffers keep the garbage collector busy on both sides.
  const part = 32;
  const file = await gathered(encryptContent(bytes(part), key, dice));
  const back = await compare({
    ...common,
    what: `decrypt ${part} MiB, ${cipher}`,
    bare: 'one cipher',
    operations: mebibytes / part,
    doOurs: () => drain(decryptContent(cut(file), key)),
    // The same bytes are no message of the bare cipher: its tag is computed and not compared.
    doBare: async () => {
      const aead = createDecipheriv(...bare);
      for await (const chunk of cut(file)) aead.update(chunk);
    },
  });
  return [whole, segments, back];
}

/** Encrypts and decrypts in one pipeline, and looks at the memory of the process all the while. */
export async function benchMemory(cipher: Cipher, gibibytes: number) {
  const key = newFileKey(cipher, dice);
  const rss = () => Math.round(process.memoryUsage.rss() / MIB);
  await drain(decryptContent(encryptContent(bytes(64), key, dice), key));
  const before = rss();
  let [most, given] = [before, 0];
  const ms = await elapsed(async () => {
    for await (const chunk of decryptContent(encryptContent(bytes(gibibytes * 1_024), key, dice), key)) {
      given += chunk.length;
      if (given % (4 * MIB) < chunk.length) most = Math.max(most, rss());
    }
  });
  if (given !== gibibytes * 1_024 * MIB) throw new Error(`${given} bytes came out`);
  return { cipher, gibibytes, seconds: ms / 1_000, 'RSS before, MiB': before, 'RSS at most, MiB': most };
}

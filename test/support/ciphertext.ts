import { decryptContent } from '../../src/content/decryption.js';
import { encryptContent } from '../../src/content/encryption.js';
import { fileKey } from '../../src/content/file-key.js';
import { fromBase64url } from '../../src/kernel/bytes.js';
import type { Dice } from '../../src/kernel/dice.js';
import { isFault } from '../../src/kernel/fault.js';
import { TestDice } from './dice.js';

const DICE = new TestDice('storage');

/** A file key as the interface gives it; refusals are codes with a dot. */
export const isKey = (answer: string): boolean => /^[\w-]{22,43}$/.test(answer);

const key = (text: string) => fileKey('AES-256-GCM', fromBase64url(text));

/** As a file platform stores it. */
export async function encrypt(text: string, fileKeyText: string, dice: Dice = DICE): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of encryptContent([Buffer.from(text)], key(fileKeyText), dice)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What it says; otherwise the code of the refusal, the key's own one among them. */
export async function decrypt(file: Uint8Array, fileKeyText: string): Promise<string> {
  if (!isKey(fileKeyText)) return fileKeyText;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of decryptContent([file], key(fileKeyText))) chunks.push(chunk);
  } catch (error) {
    if (!isFault(error)) throw error;
    return error.code;
  }
  return Buffer.concat(chunks).toString();
}

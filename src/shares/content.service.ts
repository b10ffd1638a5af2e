import { Injectable } from '@nestjs/common';
import { wipe } from '../kernel/bytes.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { decryptContent, decryptHeadedRange } from '../content/decryption.js';
import { type Content, encryptContent } from '../content/encryption.js';
import { FORMAT } from '../content/stream-header.js';
import { plaintextSize, type Reading, readingOf, type Span } from '../content/stream-layout.js';
import { isMeant, VersionTap } from './content-version.js';
import type { OpenedKey } from './wrapped-key.js';

/** The whole-file form is held in memory. */
const LONGEST_WHOLE_FILE = 64 * 2 ** 20;

/** A range of a plaintext, the last byte among it, and the size of the ciphertext that it is read from. */
export interface WantedRange {
  readonly first: number;
  readonly last: number;
  readonly ciphertextSize: number;
}

/** A file on its way, and what this encryption of it is told from others by; nothing of the kind in the whole-file form. */
export interface Passing {
  readonly content: Content;
  readonly etag: string | undefined;
}

/**
 * Encrypts and decrypts files as they stream through, for file platforms that leave the cryptography to this server. The
 * first bytes are there when the promise is, so that what is refused at once is refused with an error and not in the middle
 * of a file.
 */
@Injectable()
export class ContentService {
  constructor(private readonly dice: Dice) {}

  /**
   * In the format `ocm-stream-1`, under a salt of its own each time, so that what is written back never meets a nonce again
   * (OCM-MLS ). Throws `content.form-read-only` for a share in the whole-file form.
   */
  async encrypt({ encryption, key }: OpenedKey, plaintext: Content): Promise<Passing> {
    if (encryption.format !== FORMAT) throw new Fault('content.form-read-only', { format: encryption.format });
    const tap = new VersionTap();
    return {
      content: await started(tap.through(encryptContent(plaintext, key, this.dice)), key.bytes),
      etag: tap.etag,
    };
  }

  /**
   * Throws like `decryptContent`, later when it is seen later, and `content.changed` when the file is none of those that
   * `ifMatch` names.
   */
  decrypt({ encryption, key }: OpenedKey, ciphertext: Content, ifMatch?: string): Promise<Passing> {
    const longest = encryption.format === FORMAT ? 0 : LONGEST_WHOLE_FILE;
    return matched((content) => decryptContent(content, key, longest), ciphertext, key.bytes, ifMatch);
  }

  /** Of a header and the segments that `reading` names. Throws like `decryptHeadedRange`, and `content.changed`. */
  decryptRange({ key }: OpenedKey, ciphertext: Content, reading: Reading, ifMatch?: string): Promise<Passing> {
    return matched((content) => decryptHeadedRange(content, key, reading), ciphertext, key.bytes, ifMatch);
  }

  /** What to read for a range. Throws `content.range`, `content.malformed`, `content.too-large`. */
  readingOf({ first, last, ciphertextSize }: WantedRange): { readonly reading: Reading; readonly size: number } {
    const size = plaintextSize(ciphertextSize);
    const span: Span = { start: first, end: Math.min(last + 1, size) };
    return { reading: readingOf(span, ciphertextSize), size };
  }
}

async function matched(
  open: (ciphertext: Content) => AsyncGenerator<Uint8Array>,
  ciphertext: Content,
  secret: Uint8Array,
  ifMatch: string | undefined,
): Promise<Passing> {
  const tap = new VersionTap();
  const content = await started(open(tap.through(ciphertext)), secret);
  const { etag } = tap;
  if (isMeant(ifMatch, etag)) return { content, etag };
  await content.return(undefined);
  wipe(secret);
  throw new Fault('content.changed', { etag });
}

/** Waits for the first part; the secret is wiped with the end. */
async function started(content: AsyncGenerator<Uint8Array>, secret: Uint8Array): Promise<AsyncGenerator<Uint8Array>> {
  const first = await content.next().catch((error: unknown) => {
    wipe(secret);
    throw error;
  });
  return goOn(first, content, secret);
}

async function* goOn(first: IteratorResult<Uint8Array>, content: AsyncGenerator<Uint8Array>, secret: Uint8Array) {
  try {
    if (!first.done) yield first.value;
    yield* content;
  } finally {
    wipe(secret);
  }
}

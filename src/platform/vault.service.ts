import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { utf8 } from '../kernel/bytes.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { purposeOf, type RowPurpose, type SealedColumn } from './sealed-column.js';

const VERSION = 1;
const KEY_ID = 8;
const NONCE = 12;
const TAG = 16;
const HEAD = 1 + KEY_ID + NONCE;

const idOf = (key: Uint8Array): string =>
  createHash('sha256')
    .update(key)
    .digest('hex')
    .slice(0, KEY_ID * 2);

/** The keys that seal what is secret in the database: the first one seals, all of them open. */
export abstract class SealingKeys {
  abstract readonly keys: readonly [Uint8Array, ...Uint8Array[]];
}

/**
 * Seals what must be secret at rest: AES-256-GCM under a random nonce, laid out as
 * version (1) || key id (8) || nonce (12) || ciphertext || tag (16). The id is of the key, so that keys can be rotated.
 */
@Injectable()
export class Vault {
  private readonly byId: ReadonlyMap<string, Uint8Array>;
  private readonly kept: SealedColumn[] = [];

  constructor(
    private readonly sealing: SealingKeys,
    private readonly dice: Dice,
  ) {
    this.byId = new Map(sealing.keys.map((key) => [idOf(key), key]));
  }

  /** The ids of the keys, that which seals first. */
  get keyIds(): readonly string[] {
    return [...this.byId.keys()];
  }

  /** Every column with sealed values. */
  get columns(): readonly SealedColumn[] {
    return this.kept;
  }

  /** Whoever keeps sealed values in a column says so, once, and gets what each row's are sealed for. */
  keep(sealed: SealedColumn): RowPurpose {
    if (!this.kept.some(({ table, column }) => table === sealed.table && column === sealed.column))
      this.kept.push(sealed);
    return (...row) => purposeOf(sealed, ...row);
  }

  /** `purpose` binds the sealed bytes to their place (table, column and row), so that they cannot be moved to another. */
  seal(plain: Uint8Array, purpose: string): Uint8Array {
    const [key] = this.sealing.keys;
    const nonce = this.dice.bytes(NONCE);
    const head = Buffer.concat([Uint8Array.of(VERSION), Buffer.from(idOf(key), 'hex'), nonce]);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.concat([head, utf8(purpose)]));
    return new Uint8Array(Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
  }

  /** Throws `vault.sealed-otherwise` for another key, another purpose or other bytes. */
  open(sealed: Uint8Array, purpose: string): Uint8Array {
    const id = Buffer.from(sealed.subarray(1, 1 + KEY_ID)).toString('hex');
    const key = this.byId.get(id);
    const table = purpose.split(':', 1)[0];
    if (sealed.length < HEAD + TAG || sealed[0] !== VERSION || key === undefined) {
      throw new Fault('vault.sealed-otherwise', { table, keyId: id, configured: [...this.byId.keys()] });
    }
    const head = sealed.subarray(0, HEAD);
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1 + KEY_ID, HEAD), { authTagLength: TAG })
      .setAAD(Buffer.concat([head, utf8(purpose)]))
      .setAuthTag(sealed.subarray(sealed.length - TAG));
    try {
      const body = decipher.update(sealed.subarray(HEAD, sealed.length - TAG));
      return new Uint8Array(Buffer.concat([body, decipher.final()]));
    } catch (cause) {
      throw new Fault('vault.sealed-otherwise', { table, keyId: id }, cause);
    }
  }

  /** Whether these bytes are sealed with the key that seals now; otherwise they should be sealed anew. */
  isCurrent(sealed: Uint8Array): boolean {
    return Buffer.from(sealed.subarray(1, 1 + KEY_ID)).toString('hex') === idOf(this.sealing.keys[0]);
  }
}

import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { utf8 } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { DataFolder } from './data-folder.provider.js';
import { WaterMarkRepository } from './water-mark.repository.js';
import { Log } from './logger.service.js';
import type { TransactionService, Tx } from './transaction.service.js';

/** As many digits as the largest bigint, so that one write replaces the number as a whole. */
const WIDTH = 19;

/** More than any other process can have let go since this one did. */
const AHEAD_OF_OTHERS = 1_000_000;

/**
 * How far that has come which may have left, in a file beside the database: when the database does not know of it, it is
 * an older copy of itself (D-31). The file must not be restored together with the database.
 */
@Injectable()
export class HighWater {
  private readonly path: string;
  private known = 0;

  /** Throws `data-folder.unusable`. */
  constructor(
    folder: DataFolder,
    private readonly marks: WaterMarkRepository,
    log: Log,
  ) {
    this.path = folder.file('high-water');
    try {
      folder.make();
      const found = this.opened(numberIn);
      if (found !== undefined) this.known = found;
      else
        log.error(
          { event: 'high-water.unreadable', file: this.path },
          'an older database cannot be told from this one',
        );
    } catch (cause) {
      throw new Fault('data-folder.unusable', { folder: folder.path }, cause);
    }
  }

  /** The highest number of what may have left. */
  get mark(): number {
    return this.known;
  }

  /** A number for what is about to leave: the last thing in a transaction, and `raise` comes after it. */
  next(tx: Tx): Promise<number> {
    return this.marks.next(tx);
  }

  /**
   * After the transaction that gave the number, and before that leaves. Other processes may use the same folder, and be
   * ahead. Not forced to the disk: a power cut may take the last seconds of it, and no backup is as young as that.
   */
  raise(number: number): void {
    if (number <= this.known) return;
    this.known = this.opened((file) => {
      const others = numberIn(file) ?? 0;
      if (others >= number) return others;
      writeSync(file, utf8(`${String(number).padStart(WIDTH, '0')}\n`), 0, WIDTH + 1, 0);
      return number;
    });
  }

  /** The last thing in a transaction whose answer nobody asks for again: it is numbered before it leaves. */
  async numberAnswer(tx: Tx, transactions: TransactionService): Promise<void> {
    const number = await this.next(tx);
    transactions.afterCommit(tx, () => this.raise(number));
  }

  /** Whether something may have left that the database does not know of: then it is an older copy of itself. D-31 */
  async wentBack(tx: Tx): Promise<boolean> {
    return this.known > (await this.marks.last(tx));
  }

  /**
   * What went back goes on from ahead of all that may have left, also by way of other processes. To be done in the
   * transaction in which everything is done about it.
   */
  goOn(tx: Tx): Promise<void> {
    return this.marks.goOnFrom(tx, this.known + AHEAD_OF_OTHERS);
  }

  private opened<T>(use: (file: number) => T): T {
    const file = openSync(this.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      return use(file);
    } finally {
      closeSync(file);
    }
  }
}

/** 0 for an empty file; undefined for what this class has not written. */
function numberIn(file: number): number | undefined {
  const bytes = new Uint8Array(WIDTH);
  const length = readSync(file, bytes, 0, WIDTH, 0);
  const text = Buffer.from(bytes.subarray(0, length)).toString('latin1');
  if (length === 0) return 0;
  return /^[0-9]{19}$/.test(text) ? Number(text) : undefined;
}

import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { utf8 } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { DataFolder } from './data-folder.provider.js';
import { Log } from './logger.service.js';
import type { Tx } from './transaction.service.js';

/** As many digits as the largest bigint, so that one write replaces the number as a whole. */
const WIDTH = 19;

/** What leaves this server is numbered: letters, and what is handed out when others ask. */
const SERIAL = 'outbox_letter_serial_seq';

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
  constructor(folder: DataFolder, log: Log) {
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

  /** The highest serial of what may have left. */
  get mark(): number {
    return this.known;
  }

  /**
   * To be called before that leaves. Other processes may use the same folder, and be ahead. Not forced to the disk: a
   * power cut may take the last seconds of it, and no backup is as young as that.
   */
  raise(serial: number): void {
    if (serial <= this.known) return;
    this.known = this.opened((file) => {
      const others = numberIn(file) ?? 0;
      if (others >= serial) return others;
      writeSync(file, utf8(`${String(serial).padStart(WIDTH, '0')}\n`), 0, WIDTH + 1, 0);
      return serial;
    });
  }

  /** The same for what is no letter and must not leave twice. */
  async pass(tx: Tx): Promise<void> {
    const [row] = await tx.query<{ serial: string }[]>(`SELECT nextval('${SERIAL}') AS serial`);
    this.raise(Number(row!.serial));
  }

  /** Whether something may have left that the database does not know of: then it is an older copy of itself. D-31 */
  async wentBack(tx: Tx): Promise<boolean> {
    const [row] = await tx.query<{ last: string }[]>(
      `SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM ${SERIAL}`,
    );
    return this.known > Number(row!.last);
  }

  /**
   * What went back goes on from ahead of all that may have left, also by way of other processes. After the transaction in
   * which everything was done about it, since it outlives one that is rolled back.
   */
  async goOn(tx: Tx): Promise<void> {
    await tx.query(`SELECT setval('${SERIAL}', $1)`, [this.known + AHEAD_OF_OTHERS]);
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

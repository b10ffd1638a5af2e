import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { utf8 } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { DataFolder } from '../platform/data-folder.provider.js';
import { Log } from '../platform/logger.service.js';

/** As many digits as the largest bigint, so that one write replaces the number as a whole. */
const WIDTH = 19;

/**
 * How far the letters have come that may have left, in a file beside the database: when the database does not know of
 * them, it is an older copy of itself (D-31). The file must not be restored together with the database.
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

  /** The highest serial of a letter that may have left. */
  get mark(): number {
    return this.known;
  }

  /**
   * To be called before letters leave. Other processes may use the same folder, and be ahead. Not forced to the disk: a
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

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Log } from './logger.service.js';
import { Poller, type Turn } from './poller.service.js';
import { purposeOf, type SealedColumn } from './sealed-column.js';
import { TransactionService, type Tx } from './transaction.service.js';
import { Vault } from './vault.service.js';

const EVERY_MS = 60_000;
const AT_ONCE = 100;

interface SealedRow {
  readonly value: Buffer;
  readonly row: readonly string[];
}

/**
 * Seals anew what is sealed with a key that does not seal any more, a few rows at a time, as long as several sealing keys
 * are configured. When nothing is left the old key may go. D-28
 */
@Injectable()
export class ResealingWorker implements Turn, OnModuleInit {
  readonly name = 'platform.resealing';

  constructor(
    private readonly db: TransactionService,
    private readonly vault: Vault,
    private readonly poller: Poller,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    if (this.vault.keyIds.length > 1) this.poller.add(this, { everyMs: EVERY_MS });
  }

  async turn(): Promise<boolean> {
    for (const sealed of this.vault.columns) {
      const look = async (tx: Tx) => (await this.sealedBefore(tx, sealed, 1)).length > 0;
      const rows = await this.db.runIf(look, (tx) => this.reseal(tx, sealed));
      if (!rows) continue;
      this.log.info({ event: 'vault.resealed', table: sealed.table, rows }, 'rows were sealed with the first key');
      return true;
    }
    return false;
  }

  /** How many values are sealed with each key. */
  async count(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const { table, column } of this.vault.columns) {
      const rows = await this.db.statement((tx) =>
        tx.query<{ id: string; count: number }[]>(
          `SELECT encode(substring(${column} FROM 2 FOR 8), 'hex') AS id, count(*)::integer AS count FROM ${table}
           WHERE ${column} IS NOT NULL GROUP BY 1`,
        ),
      );
      for (const { id, count } of rows) counts.set(id, (counts.get(id) ?? 0) + count);
    }
    return counts;
  }

  /** A value that was written meanwhile is left alone. Returns how many there were. */
  private async reseal(tx: Tx, sealed: SealedColumn): Promise<number> {
    const { table, column, row } = sealed;
    const rows = await this.sealedBefore(tx, sealed, AT_ONCE);
    for (const { value, row: names } of rows) {
      const purpose = purposeOf(sealed, ...names);
      const fresh = Buffer.from(this.vault.seal(this.vault.open(value, purpose), purpose));
      const same = row.map((name, at) => `${name}::text = $${at + 3}`).join(' AND ');
      await tx.query(`UPDATE ${table} SET ${column} = $1 WHERE ${column} = $2 AND ${same}`, [fresh, value, ...names]);
    }
    return rows.length;
  }

  /** Values that another key than the first one seals, at most so many. */
  private sealedBefore(tx: Tx, { table, column, row }: SealedColumn, most: number): Promise<SealedRow[]> {
    return tx.query<SealedRow[]>(
      `SELECT ${column} AS value, ARRAY[${row.map((name) => `${name}::text`).join(', ')}] AS row FROM ${table}
       WHERE substring(${column} FROM 2 FOR 8) <> decode($1, 'hex') LIMIT ${most}`,
      [this.vault.keyIds[0]],
    );
  }
}

import { Injectable } from '@nestjs/common';
import { exportLine, type Refusal } from './audit-entry.js';
import { type AuditFilter, AuditLog } from './audit-log.repository.js';
import { Log } from './logger.service.js';
import { type Tx, TransactionService } from './transaction.service.js';

/** Few enough to be held, many enough to be quick. */
const PAGE = 500;

/** What is done with the audit log outside of the transactions that it tells of. */
@Injectable()
export class AuditService {
  constructor(
    private readonly transactions: TransactionService,
    private readonly entries: AuditLog,
    private readonly log: Log,
  ) {}

  /**
   * Lines of JSON, oldest first, page by page, up to what is complete when it begins. Whoever asks again after the last
   * number that was seen misses nothing.
   */
  async *export(after: number, filter: AuditFilter): AsyncGenerator<string> {
    const upTo = await this.transactions.run((tx) => this.entries.complete(tx));
    for (let last = after; ;) {
      const range = { after: last, upTo, most: PAGE };
      const records = await this.transactions.statement((tx) => this.entries.page(tx, range, filter));
      if (records.length > 0) yield records.map(exportLine).join('');
      if (records.length < PAGE) return;
      last = records.at(-1)!.number;
    }
  }

  /**
   * After the transaction of what was refused. That this cannot be written down does not change what is answered.
   * @param tell nothing when nobody will ask about it
   */
  async refused(tell: (tx: Tx) => Promise<Refusal | undefined>): Promise<void> {
    try {
      await this.transactions.run(async (tx) => {
        const refusal = await tell(tx);
        if (refusal) await this.entries.recordRefusal(tx, refusal);
      });
    } catch (err) {
      this.log.error({ event: 'audit.not-written', err }, 'a refusal is missing in the audit log');
    }
  }
}

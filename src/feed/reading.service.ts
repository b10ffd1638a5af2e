import { Injectable } from '@nestjs/common';
import { Fault } from '../kernel/fault.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { type Cursor, judgeCursor, type Start } from './cursor.js';
import type { EventFilter } from './event.js';
import { EventRepository, type Stretch } from './event.repository.js';

/** What readers see of the feed: events that have their place. */
@Injectable()
export class FeedReading {
  constructor(
    private readonly db: TransactionService,
    private readonly events: EventRepository,
  ) {}

  /** Throws `feed.cursor-expired`, `feed.cursor-unknown`. */
  begin(start: Start): Promise<Cursor> {
    return this.db.run((tx) => this.beginIn(tx, start));
  }

  /** The same within a transaction. */
  async beginIn(tx: Tx, start: Start): Promise<Cursor> {
    if (start === 'latest') return (await this.events.ends(tx)).head;
    if (start === 'oldest') return (await this.events.ends(tx)).pruned;
    // What is kept only shrinks: the ends are read last.
    const mark = await this.events.markAt(tx, start.position);
    judgeCursor(start, await this.events.ends(tx), mark);
    return start;
  }

  /** What comes behind a cursor that `begin` gave. Throws `feed.cursor-expired` when it was forgotten meanwhile. */
  after(cursor: Cursor, filter: EventFilter, most: number): Promise<Stretch> {
    return this.db.run(async (tx) => {
      const stretch = await this.events.after(tx, cursor, filter, most);
      // Where nothing is left there is no next one to see the gap by.
      if (stretch.upTo.position === cursor.position) {
        const { pruned } = await this.events.ends(tx);
        if (pruned.position > cursor.position) {
          throw new Fault('feed.cursor-expired', { position: cursor.position, oldest: pruned.position });
        }
      }
      return stretch;
    });
  }
}

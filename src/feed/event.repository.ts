import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Fault } from '../kernel/fault.js';
import type { Tx } from '../platform/transaction.service.js';
import { BEGINNING, type Cursor, type FeedEnds, markAfter } from './cursor.js';
import { type EventFilter, type EventType, type FeedEvent, type PlacedEvent, typesOf } from './event.js';

/** Written with what it tells of; its position is given later, and until then nobody sees it. */
@Entity('feed_event')
export class EventRow {
  @PrimaryColumn({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' }) number!: string;
  @Column('bigint', { nullable: true, unique: true }) position!: string | null;
  @Column('text', { nullable: true }) mark!: string | null;
  @Column('text') type!: EventType;
  @Column('text', { name: 'group_address' }) group!: string;
  @Column('jsonb') data!: Record<string, unknown>;
  @Column('timestamptz', { name: 'recorded_at' }) recordedAt!: Date;
}

/** One row. Whoever has it locked gives positions or forgets events, and nobody else does. */
@Entity('feed_head')
export class HeadRow {
  @PrimaryColumn('boolean') one!: boolean;
  @Column('bigint') position!: string;
  @Column('text') mark!: string;
  @Column('bigint', { name: 'pruned_to' }) prunedTo!: string;
  @Column('text', { name: 'pruned_mark' }) prunedMark!: string;
}

/** Some of the feed, in order. */
export interface Stretch {
  readonly events: readonly PlacedEvent[];
  /** The last event that was looked at, whether or not it was asked for. */
  readonly upTo: Cursor;
  /** Whether as many were looked at as may be. */
  readonly full: boolean;
}

const NUMBERED = 'number, position, mark, type, group_address AS "group", data, recorded_at AS "recordedAt"';

@Injectable()
export class EventRepository {
  /** In the order in which they are given. */
  async add(tx: Tx, events: readonly FeedEvent[], at: Date): Promise<void> {
    const rows = events.map(({ type, data }) => ({ type, group: data.group, data }));
    await tx.query(
      `INSERT INTO feed_event (type, group_address, data, recorded_at)
       SELECT e ->> 'type', e ->> 'group', e -> 'data', $2::timestamptz
       FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS given (e, n) ORDER BY n`,
      [JSON.stringify(rows), at],
    );
  }

  /** Whether any event waits for its position. */
  async waits(tx: Tx): Promise<boolean> {
    return (await tx.query<unknown[]>('SELECT 1 FROM feed_event WHERE position IS NULL LIMIT 1')).length > 0;
  }

  /** Where the feed begins and ends, for nobody but this transaction to move. */
  async lockEnds(tx: Tx): Promise<FeedEnds> {
    await tx.query(
      `INSERT INTO feed_head (one, position, mark, pruned_to, pruned_mark) VALUES (true, 0, $1, 0, $1)
       ON CONFLICT DO NOTHING`,
      [BEGINNING.mark],
    );
    return toEnds((await tx.query<HeadColumns[]>(`SELECT ${ENDS} FROM feed_head FOR UPDATE`))[0]);
  }

  async ends(tx: Tx): Promise<FeedEnds> {
    return toEnds((await tx.query<HeadColumns[]>(`SELECT ${ENDS} FROM feed_head`))[0]);
  }

  /**
   * Gives the next positions, at most so many, and says how many there were. Numbers are given before their transactions
   * commit; whatever is seen here is seen together with all that its own transaction could see, which has lower numbers.
   * `head` comes from `lockEnds`: a statement of its own, so that what is read now is read later than that.
   */
  async place(tx: Tx, head: Cursor, most: number): Promise<{ readonly head: Cursor; readonly count: number }> {
    const rows = await tx.query<EventRow[]>(
      `SELECT ${NUMBERED} FROM feed_event WHERE position IS NULL ORDER BY number LIMIT $1`,
      [most],
    );
    let last = head;
    const placed = rows.map((row) => {
      last = { position: last.position + 1, mark: markAfter(last.mark, row) };
      return { number: row.number, ...last };
    });
    if (placed.length === 0) return { head, count: 0 };
    await tx.query(
      `UPDATE feed_event e SET position = new.position, mark = new.mark
       FROM jsonb_to_recordset($1::jsonb) AS new (number bigint, position bigint, mark text)
       WHERE e.number = new.number`,
      [JSON.stringify(placed)],
    );
    await tx.query('UPDATE feed_head SET position = $1, mark = $2', [last.position, last.mark]);
    return { head: last, count: placed.length };
  }

  /** The mark of the event at a position. */
  async markAt(tx: Tx, position: number): Promise<string | undefined> {
    const [row] = await tx.query<{ mark: string }[]>('SELECT mark FROM feed_event WHERE position = $1', [position]);
    return row?.mark;
  }

  /**
   * Behind the cursor; no more than `most` are looked at, so that a filter that lets nothing through costs no more. Throws
   * `feed.cursor-expired` when the first of them is not the next one.
   */
  async after(tx: Tx, cursor: Cursor, filter: EventFilter, most: number): Promise<Stretch> {
    const rows = await tx.query<(EventRow & { wanted: boolean; first: string })[]>(
      `WITH seen AS MATERIALIZED (SELECT * FROM feed_event WHERE position > $1 ORDER BY position LIMIT $2),
         judged AS (SELECT *, ($3::text[] IS NULL OR type = ANY ($3::text[]))
           AND ($4::text IS NULL OR group_address = $4) AS wanted FROM seen)
       SELECT ${NUMBERED}, wanted, (SELECT min(position) FROM seen) AS first FROM judged
       WHERE wanted OR position = (SELECT max(position) FROM seen) ORDER BY position`,
      [cursor.position, most, typesOf(filter) ?? null, filter.group ?? null],
    );
    const last = rows.at(-1);
    if (!last) return { events: [], upTo: cursor, full: false };
    if (Number(last.first) !== cursor.position + 1) {
      throw new Fault('feed.cursor-expired', { position: cursor.position, oldest: Number(last.first) - 1 });
    }
    const upTo = { position: Number(last.position), mark: last.mark! };
    const events = rows.filter(({ wanted }) => wanted).map(toEvent);
    return { events, upTo, full: upTo.position - cursor.position === most };
  }

  /** When the event behind a position was recorded. */
  async recordedAfter(tx: Tx, position: number): Promise<Date | undefined> {
    const [row] = await tx.query<{ at: Date }[]>('SELECT recorded_at AS at FROM feed_event WHERE position = $1', [
      position + 1,
    ]);
    return row?.at;
  }

  /** Whether the oldest event was recorded before `at`. */
  async isOld(tx: Tx, at: Date): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      `SELECT 1 FROM feed_event e JOIN feed_head h ON e.position = h.pruned_to + 1 WHERE e.recorded_at < $1`,
      [at],
    );
    return rows.length > 0;
  }

  /** Forgets the oldest events, as long as they were recorded before `at`; at most so many. Says how many there were. */
  async prune(tx: Tx, { pruned }: FeedEnds, at: Date, most: number): Promise<number> {
    const rows = await tx.query<{ position: string; mark: string; recordedAt: Date }[]>(
      `SELECT position, mark, recorded_at AS "recordedAt" FROM feed_event WHERE position > $1 ORDER BY position LIMIT $2`,
      [pruned.position, most],
    );
    const young = rows.findIndex(({ recordedAt }) => recordedAt >= at);
    const old = young < 0 ? rows : rows.slice(0, young);
    const last = old.at(-1);
    if (!last) return 0;
    await tx.query('DELETE FROM feed_event WHERE position <= $1', [last.position]);
    await tx.query('UPDATE feed_head SET pruned_to = $1, pruned_mark = $2', [last.position, last.mark]);
    return old.length;
  }
}

const ENDS = 'position, mark, pruned_to AS "prunedTo", pruned_mark AS "prunedMark"';
type HeadColumns = Omit<HeadRow, 'one'>;

const toEnds = (row: HeadColumns | undefined): FeedEnds =>
  row
    ? {
        head: { position: Number(row.position), mark: row.mark },
        pruned: { position: Number(row.prunedTo), mark: row.prunedMark },
      }
    : { head: BEGINNING, pruned: BEGINNING };

const toEvent = ({ position, mark, type, group, data, recordedAt }: EventRow): PlacedEvent => ({
  position: Number(position),
  mark: mark!,
  type,
  group,
  data,
  recordedAt,
});

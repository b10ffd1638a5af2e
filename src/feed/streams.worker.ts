import { Readable } from 'node:stream';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { Log } from '../platform/logger.service.js';
import { Metrics } from '../platform/metrics.service.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import type { Cursor } from './cursor.js';
import type { EventFilter } from './event.js';
import { EventRepository } from './event.repository.js';
import { FIRST_LINES, frameOf, heartbeat } from './frame.js';
import { FeedReading } from './reading.service.js';

/** So many are looked at, when the reader has taken what came before. */
const PAGE = 200;
const HEARTBEAT_MS = 15_000;
/** A reader who takes nothing for so long is cut off. */
const STALLED_MS = 10_000;
/** Then the reader comes back, and shows the API key again. */
const LONGEST_MS = 900_000;
const MOST_OF_A_KEY = 8;
const MOST = 200;

interface OpenStream {
  readonly apiKey: string;
  readonly openedAt: Date;
  readonly readable: Readable;
  readonly closed: Promise<void>;
  /** When the reader was last offered something that is not taken yet. */
  offeredAt: Date | undefined;
}

/**
 * The open streams of this process. Nothing is queued for them: each reads a page when its reader has taken the one before.
 * A turn looks once for all of them whether there is anything new, be it placed by another process.
 */
@Injectable()
export class StreamsWorker implements Turn, OnModuleDestroy {
  readonly name = 'feed.streams';
  private readonly open = new Set<OpenStream>();
  private readonly waiting: (() => void)[] = [];
  private last = 0;
  private stopping = false;

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly events: EventRepository,
    private readonly reading: FeedReading,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /** How many are open. */
  get count(): number {
    return this.open.size;
  }

  /** Events up to there have their places. */
  moved(position: number): void {
    this.last = Math.max(this.last, position);
    this.ring();
  }

  async turn(): Promise<boolean> {
    if (this.open.size === 0) return false;
    const now = this.clock.now().getTime();
    for (const stream of this.open) {
      if (!stream.offeredAt || now - stream.offeredAt.getTime() < STALLED_MS) continue;
      this.log.warn({ event: 'feed.stream-cut' }, 'a stream whose reader takes nothing was cut off');
      stream.readable.destroy(new Fault('feed.stalled'));
    }
    this.moved((await this.db.statement((tx) => this.events.ends(tx))).head.position);
    return false;
  }

  /** What comes behind the cursor, as server-sent events without end. Throws `feed.too-many-streams`. */
  begin(apiKey: string, cursor: Cursor, filter: EventFilter): Readable {
    const own = [...this.open].filter((stream) => stream.apiKey === apiKey).length;
    if (own >= MOST_OF_A_KEY || this.open.size >= MOST || this.stopping) throw new Fault('feed.too-many-streams');
    // One chunk is held at most.
    const readable = Readable.from(
      this.frames(() => stream, cursor, filter),
      { objectMode: false, highWaterMark: 1 },
    );
    const closed = new Promise<void>((resolve) => {
      readable.once('close', () => {
        this.open.delete(stream);
        this.metrics.feedStreams(this.count);
        this.ring();
        resolve();
      });
    });
    const stream: OpenStream = { apiKey, openedAt: this.clock.now(), readable, closed, offeredAt: undefined };
    this.open.add(stream);
    this.metrics.feedStreams(this.count);
    return readable;
  }

  /** What is under way is cut: its reader goes on after the last event that came whole. */
  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    this.ring();
    for (const { offeredAt, readable } of this.open) if (offeredAt) readable.destroy();
    await Promise.all([...this.open].map(({ closed }) => closed));
  }

  private async *frames(own: () => OpenStream, from: Cursor, filter: EventFilter): AsyncGenerator<string> {
    const stream = own();
    yield* this.offer(stream, FIRST_LINES);
    let [cursor, saidAt, full] = [from, this.clock.now(), true];
    while (!this.isOver(stream)) {
      if (full || this.last > cursor.position) {
        const stretch = await this.reading.after(cursor, filter, PAGE);
        ({ upTo: cursor, full } = stretch);
        if (stretch.events.length > 0) {
          yield* this.offer(stream, stretch.events.map(frameOf).join(''));
          saidAt = this.clock.now();
        }
      } else if (this.clock.now().getTime() - saidAt.getTime() >= HEARTBEAT_MS) {
        yield* this.offer(stream, heartbeat(cursor));
        saidAt = this.clock.now();
      }
      if (!full && this.last <= cursor.position && !this.isOver(stream)) await this.rung();
    }
  }

  private *offer(stream: OpenStream, text: string): Generator<string> {
    stream.offeredAt = this.clock.now();
    yield text;
    stream.offeredAt = undefined;
  }

  private isOver({ readable, openedAt }: OpenStream): boolean {
    const isOld = this.clock.now().getTime() - openedAt.getTime() >= LONGEST_MS;
    return this.stopping || readable.destroyed || isOld;
  }

  private rung(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private ring(): void {
    for (const rise of this.waiting.splice(0)) rise();
  }
}

import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { isFault } from '../kernel/fault.js';
import { Log } from './logger.service.js';
import { Metrics } from './metrics.service.js';

/** Work that is done bit by bit. A turn does one thing in one transaction, so a crash repeats it harmlessly. */
export interface Turn {
  readonly name: string;
  /** Returns whether there may be more to do at once. */
  turn(): Promise<boolean>;
}

interface Pace {
  /** How often to look when nobody gave a hint. */
  readonly everyMs: number;
  /** How many loops take turns at the same time; one when absent. */
  readonly loops?: number;
}

/** A loop: asleep until woken or until its time has come. */
class Loop {
  private timer: NodeJS.Timeout | undefined;
  private woken = false;
  private rise: (() => void) | undefined;

  wake(): void {
    this.woken = true;
    this.rise?.();
  }

  /** Returns at once when a hint came since the last sleep. */
  async sleep(ms: number): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        this.rise = resolve;
        this.timer = setTimeout(resolve, ms);
      });
      clearTimeout(this.timer);
      this.rise = undefined;
    }
    this.woken = false;
  }
}

/** Gives workers their turns. It stands still until it is started; tests take the turns by hand. */
@Injectable()
export class Poller implements OnModuleDestroy {
  private readonly added = new Map<string, { turn: Turn; pace: Pace; loops: Loop[] }>();
  private running: Promise<void>[] = [];
  private stopping = true;

  constructor(
    private readonly log: Log,
    private readonly metrics: Metrics,
  ) {}

  add(turn: Turn, pace: Pace): void {
    if (this.added.has(turn.name)) throw new Error(`two workers are called ${turn.name}`);
    const loops = Array.from({ length: pace.loops ?? 1 }, () => new Loop());
    this.added.set(turn.name, { turn, pace, loops });
  }

  get turns(): readonly Turn[] {
    return [...this.added.values()].map(({ turn }) => turn);
  }

  /** A hint that there may be work now. Hints may be lost; the clock is what counts. */
  wake(name: string): void {
    for (const loop of this.added.get(name)?.loops ?? []) loop.wake();
  }

  start(): void {
    if (!this.stopping) return;
    this.stopping = false;
    for (const { turn, pace, loops } of this.added.values()) {
      for (const loop of loops) this.running.push(this.run(turn, pace, loop));
    }
  }

  /** Lets the turns that are under way end, and starts none. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const name of this.added.keys()) this.wake(name);
    await Promise.all(this.running);
    this.running = [];
  }

  /** Before requests are drained and the database is closed. */
  onModuleDestroy(): Promise<void> {
    return this.stop();
  }

  private async run(turn: Turn, pace: Pace, loop: Loop): Promise<void> {
    while (!this.stopping) {
      const more = await this.once(turn);
      if (!more && !this.stopping) await loop.sleep(pace.everyMs);
    }
  }

  /** A turn that fails is tried again when its time comes, not at once. */
  private async once(turn: Turn): Promise<boolean> {
    try {
      return await turn.turn();
    } catch (error) {
      this.metrics.turnFailed(turn.name);
      const level = isFault(error) && error.retry ? 'warn' : 'error';
      this.log[level]({ event: 'turn.failed', worker: turn.name, err: error }, 'a worker failed and will try again');
      return false;
    }
  }
}

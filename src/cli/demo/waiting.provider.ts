import { scheduler } from 'node:timers/promises';
import type { Clock } from '../../kernel/clock.js';
import { Unfulfilled } from './story.js';

const EVERY_MS = 100;

/** Looks until something has come true that happens in the background of other processes. */
export class Waiting {
  constructor(
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {}

  /** Throws `Unfulfilled` after `withinMs`, with what the last look failed with if it did. */
  async until<T>(what: string, withinMs: number, probe: () => Promise<T | undefined>): Promise<T> {
    const end = this.clock.now().getTime() + withinMs;
    for (let last: unknown; ;) {
      this.signal.throwIfAborted();
      try {
        const found = await probe();
        if (found !== undefined) return found;
        last = undefined;
      } catch (error) {
        last = error;
      }
      if (this.clock.now().getTime() >= end) {
        const reason = last instanceof Error ? `: ${last.message}` : '';
        throw new Unfulfilled(`${what} did not come true within ${withinMs / 1000} s${reason}`);
      }
      await scheduler.wait(EVERY_MS, { signal: this.signal });
    }
  }
}

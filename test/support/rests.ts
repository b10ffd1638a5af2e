import type { Turn } from '../../src/platform/poller.service.js';

/** When a worker found nothing to do, where it looked, and what had been written there by then. */
interface Rest {
  readonly boots: number;
  readonly at: number;
  readonly tables: readonly string[];
  readonly writes: number;
}

/** Workers that would find nothing again. */
export class Rests {
  private readonly rests = new Map<Turn, Rest>();

  /** @param writesTo how many statements changed these tables so far; without names, anything */
  constructor(private readonly writesTo: (tables: readonly string[]) => number) {}

  /**
   * Whether a worker would find nothing again: no time went by since it looked, and nothing was written to the tables that
   * it looked at. One that asks no database is asked again whenever anything was written.
   */
  has(turn: Turn, boots: number, now: Date): boolean {
    const rest = this.rests.get(turn);
    if (rest?.boots !== boots || rest.at !== now.getTime()) return false;
    return rest.writes === this.writesTo(rest.tables);
  }

  /** It looked there alone and found nothing. */
  add(turn: Turn, boots: number, at: number, tables: readonly string[]): void {
    this.rests.set(turn, { boots, at, tables, writes: this.writesTo(tables) });
  }

  /** Time went by, and something fell due in these tables alone: who looked at none of them may go on resting. */
  sleepOn(fallen: readonly string[], now: Date): void {
    for (const [turn, rest] of this.rests) {
      const wakes = rest.tables.length === 0 ? fallen.length > 0 : rest.tables.some((table) => fallen.includes(table));
      if (!wakes) this.rests.set(turn, { ...rest, at: now.getTime() });
    }
  }
}

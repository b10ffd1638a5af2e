import type { Turn } from '../../src/platform/poller.service.js';

/** The tables that the statements of a turn name. */
export interface Looked {
  readonly at: readonly string[];
  /** Those of them that it only took from what is too old. Whatever is written there now is not, until time goes by. */
  readonly clearedOnly: readonly string[];
}

/** When a worker found nothing to do, where it looked, and what had been written there by then. */
interface Rest {
  readonly boots: number;
  readonly at: number;
  readonly looked: Looked;
  readonly writes: number;
}

/** Workers that would find nothing again. */
export class Rests {
  private readonly rests = new Map<Turn, Rest>();

  /** @param writesTo how many statements changed these tables so far; without names, anything */
  constructor(private readonly writesTo: (tables?: readonly string[]) => number) {}

  /**
   * Whether a worker would find nothing again: no time went by since it looked, and nothing was written to the tables that
   * it looked at. One that asks no database is asked again whenever anything was written.
   */
  has(turn: Turn, boots: number, now: Date): boolean {
    const rest = this.rests.get(turn);
    if (rest?.boots !== boots || rest.at !== now.getTime()) return false;
    return rest.writes === this.writesSeenBy(rest.looked);
  }

  /** It looked there alone and found nothing. */
  add(turn: Turn, boots: number, at: number, looked: Looked): void {
    this.rests.set(turn, { boots, at, looked, writes: this.writesSeenBy(looked) });
  }

  /** Time went by, and something fell due in these tables alone: who looked at none of them may go on resting. */
  sleepOn(fallen: readonly string[], now: Date): void {
    for (const [turn, rest] of this.rests) {
      const { at } = rest.looked;
      const wakes = at.length === 0 ? fallen.length > 0 : at.some((table) => fallen.includes(table));
      if (!wakes) this.rests.set(turn, { ...rest, at: now.getTime() });
    }
  }

  private writesSeenBy({ at, clearedOnly }: Looked): number {
    return this.writesTo(at.length > 0 ? at.filter((table) => !clearedOnly.includes(table)) : undefined);
  }
}

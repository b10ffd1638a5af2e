import { TestDice } from '../support/dice.js';

/** Decisions out of a seed: the same seed decides the same. */
export class Chance {
  private readonly dice: TestDice;

  constructor(seed: string) {
    this.dice = new TestDice(seed);
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return Buffer.from(this.dice.bytes(6)).readUIntBE(0, 6) % limit;
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  happens(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of them; none of none. */
  pick<T>(from: readonly T[]): T | undefined {
    return from[this.below(Math.max(1, from.length))];
  }

  /** Up to `count` of them, in a new order. */
  some<T>(from: readonly T[], count: number): T[] {
    const left = [...from];
    const taken: T[] = [];
    while (left.length > 0 && taken.length < count) taken.push(...left.splice(this.below(left.length), 1));
    return taken;
  }

  /** One of them; twice the weight is taken twice as often. */
  weighted<T extends { readonly weight: number }>(from: readonly T[]): T | undefined {
    let left = this.below(
      Math.max(
        1,
        from.reduce((sum, { weight }) => sum + weight, 0),
      ),
    );
    return from.find(({ weight }) => (left -= weight) < 0);
  }
}

import { createHash } from 'node:crypto';
import { Dice } from '../../src/kernel/dice.js';

/** The same seed throws the same bytes. */
export class TestDice extends Dice {
  private throws = 0;

  constructor(private readonly seed: string) {
    super();
  }

  bytes(length: number): Uint8Array {
    const drawn = new Uint8Array(length);
    for (let filled = 0; filled < length; filled += 32) {
      const block = createHash('sha256').update(`${this.seed}/${this.throws++}`).digest();
      drawn.set(block.subarray(0, Math.min(32, length - filled)), filled);
    }
    return drawn;
  }
}

import { randomBytes } from 'node:crypto';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';

/** The machine's clock. */
export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }
}

/** The machine's random numbers. */
export class SystemDice extends Dice {
  bytes(length: number): Uint8Array {
    return new Uint8Array(randomBytes(length));
  }
}

import { Clock } from '../../src/kernel/clock.js';
import type { TestClock } from '../support/clock.js';

/** The clock on a server's wall: the world's time, but for a skew. */
export class WallClock extends Clock {
  skewMs = 0;

  constructor(private readonly world: TestClock) {
    super();
  }

  now(): Date {
    return new Date(this.world.now().getTime() + this.skewMs);
  }
}

import { Clock } from '../../src/kernel/clock.js';

/** Stands still until it is moved. */
export class TestClock extends Clock {
  private time: number;

  constructor(start: string | Date = '2027-01-04T09:00:00.000Z') {
    super();
    this.time = new Date(start).getTime();
  }

  now(): Date {
    return new Date(this.time);
  }

  /** Forward by a number of milliseconds, or to a moment that is not in the past. */
  advance(by: number | Date): void {
    const next = typeof by === 'number' ? this.time + by : by.getTime();
    if (!(next >= this.time)) throw new Error(`The clock goes forward only: ${String(by)}`);
    this.time = next;
  }

  advanceSeconds = (seconds: number): void => this.advance(seconds * 1000);
  advanceHours = (hours: number): void => this.advance(hours * 3_600_000);
  advanceDays = (days: number): void => this.advance(days * 86_400_000);
}

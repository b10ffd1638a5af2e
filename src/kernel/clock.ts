/** What time it is. The only source of time in the service; tests pass one that they move by hand. */
export abstract class Clock {
  abstract now(): Date;
}

import { FAULTS } from './fault-catalogue.js';

export { FAULTS } from './fault-catalogue.js';

export type FaultCode = keyof typeof FAULTS;

/** A violation. `facts` go to the log and, for callers of our own API, into the answer: never put secrets there. */
export class Fault extends Error {
  override readonly name = 'Fault';

  constructor(
    readonly code: FaultCode,
    readonly facts: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(`${code}: ${FAULTS[code].says}`, cause === undefined ? {} : { cause });
  }

  get status(): number {
    return FAULTS[this.code].status;
  }

  get retry(): boolean {
    return FAULTS[this.code].retry;
  }
}

export const isFault = (error: unknown, code?: FaultCode): error is Fault =>
  error instanceof Fault && (code === undefined || error.code === code);

/** One thing that is done and checked. */
export interface Step<Stage> {
  /** A sentence for the reader. */
  readonly says: string;
  /** Returns what was found, in short lines. Throws when it is not as it should be. */
  readonly play: (stage: Stage) => Promise<readonly string[]>;
}

export interface Act<Stage> {
  readonly title: string;
  readonly steps: readonly Step<Stage>[];
}

export interface PlayedStep {
  readonly act: number;
  readonly title: string;
  readonly says: string;
  readonly ok: boolean;
  readonly found: readonly string[];
  readonly ms: number;
}

/** Thrown by a step whose check does not hold. */
export class Unfulfilled extends Error {
  override readonly name = 'Unfulfilled';
}

/** Throws `Unfulfilled` with what was expected and what was seen. */
export function insist(holds: boolean, expected: string, seen?: unknown): asserts holds {
  if (holds) return;
  const shown = seen === undefined ? '' : `; it is ${JSON.stringify(seen)?.slice(0, 500)}`;
  throw new Unfulfilled(`expected: ${expected}${shown}`);
}

/**
 * Plays the acts in their order and tells of each step when it is over. What follows a failed step is not played, since
 * it builds on it.
 * @param now milliseconds of a clock that only runs forward
 */
export async function* play<Stage>(
  acts: readonly Act<Stage>[],
  stage: Stage,
  now: () => number,
): AsyncGenerator<PlayedStep> {
  for (const [index, { title, steps }] of acts.entries()) {
    for (const { says, play: perform } of steps) {
      const begun = now();
      const { ok, found } = await outcome(() => perform(stage));
      yield { act: index + 1, title, says, ok, found, ms: Math.round(now() - begun) };
      if (!ok) return;
    }
  }
}

async function outcome(perform: () => Promise<readonly string[]>): Promise<Pick<PlayedStep, 'ok' | 'found'>> {
  try {
    return { ok: true, found: await perform() };
  } catch (error) {
    return { ok: false, found: [error instanceof Error ? error.message : String(error)] };
  }
}

export interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly notPlayed: number;
  readonly ms: number;
  readonly steps: readonly PlayedStep[];
}

/** What a whole performance came to. */
export function reportOf(acts: readonly Act<never>[], steps: readonly PlayedStep[], ms: number): Report {
  const all = acts.reduce((sum, act) => sum + act.steps.length, 0);
  const passed = steps.filter(({ ok }) => ok).length;
  return { passed, failed: steps.length - passed, notPlayed: all - steps.length, ms: Math.round(ms), steps };
}

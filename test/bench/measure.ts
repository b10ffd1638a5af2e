/** One thing done by Covey and done by the bare libraries, measured in turns within one run. */
export interface Comparison {
  readonly what: string;
  readonly ours: string;
  readonly bare: string;
  /** Milliseconds of one operation, the median over rounds. */
  readonly oursMs: number;
  readonly bareMs: number;
  /** How many times as long ours takes. */
  readonly ratio: number;
}

export interface Contest {
  readonly what: string;
  /** What each side is, in a few words. */
  readonly ours: string;
  readonly bare: string;
  /** Operations of one round, and how many of them run at the same time. */
  readonly operations: number;
  readonly concurrency: number;
  readonly rounds?: number;
  /** Makes ready what a round of so many operations needs; its time does not count. */
  readonly prepareOurs?: (operations: number) => Promise<void> | void;
  readonly prepareBare?: (operations: number) => Promise<void> | void;
  readonly doOurs: (index: number) => Promise<unknown>;
  readonly doBare: (index: number) => Promise<unknown>;
}

const ROUNDS = 7;

/** Rounds of both in turns, so that a machine that slows down slows both; a first round of each does not count. */
export async function compare(contest: Contest): Promise<Comparison> {
  const { what, ours, bare, operations, concurrency, rounds = ROUNDS } = contest;
  const times = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    await contest.prepareOurs?.(operations);
    const oursMs = await timed(operations, concurrency, contest.doOurs);
    await contest.prepareBare?.(operations);
    const bareMs = await timed(operations, concurrency, contest.doBare);
    if (round === 0) continue;
    times.ours.push(oursMs);
    times.bare.push(bareMs);
  }
  const [oursMs, bareMs] = [median(times.ours), median(times.bare)];
  return { what, ours, bare, oursMs, bareMs, ratio: oursMs / bareMs };
}

/** Milliseconds of wall time of one piece of work. */
export async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Milliseconds of wall time for each operation. */
async function timed(operations: number, concurrency: number, work: (index: number) => Promise<unknown>) {
  let next = 0;
  const worker = async () => {
    while (next < operations) await work(next++);
  };
  return (await elapsed(() => Promise.all(Array.from({ length: concurrency }, worker)))) / operations;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function table(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ what, ours, bare, oursMs, bareMs, ratio }) => [
    what,
    `${ours}: ${oursMs.toFixed(3)} ms`,
    `${bare}: ${bareMs.toFixed(3)} ms`,
    ratio.toFixed(2),
  ]);
  const head = ['', 'Covey', 'bare', 'ratio'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

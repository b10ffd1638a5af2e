import type { Clock } from '../../kernel/clock.js';
import type { Dice } from '../../kernel/dice.js';
import { acts } from './acts.js';
import { type DemoArguments, demoArguments, USAGE } from './arguments.js';
import { OpenStage, type Surroundings } from './stage.provider.js';
import { play, type PlayedStep, reportOf } from './story.js';
import { reportText, stepText } from './story-text.js';

export interface DemoSurroundings extends Omit<Surroundings, 'signal'> {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Calls back when somebody wants to end this. */
  readonly onStop: (stop: () => void) => void;
}

const OK = 0;
const FAILED = 1;
const MISUSED = 64;

/** Plays the story on servers of its own and stops them, whatever happens. Returns the exit code. */
export async function demo(args: readonly string[], around: DemoSurroundings): Promise<number> {
  const wanted = demoArguments(args);
  if (!wanted) {
    around.err(USAGE);
    return MISUSED;
  }
  const ended = new AbortController();
  around.onStop(() => ended.abort(new Error('stopped by hand')));
  const stage = new OpenStage({ ...around, signal: ended.signal });
  const code = await onStage(stage, wanted, ended.signal, around);
  if (await stage.close()) return code;
  around.err('Not every server stopped cleanly.');
  return FAILED;
}

async function onStage(
  stage: OpenStage,
  { json, keep }: DemoArguments,
  signal: AbortSignal,
  around: DemoSurroundings,
): Promise<number> {
  try {
    const code = await perform(stage, json, around);
    if (code !== OK) around.err(stage.lastWords);
    if (keep && code === OK) await stay(stage, signal, around);
    return code;
  } catch (error) {
    around.err(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
    if (!signal.aborted) around.err(stage.lastWords);
    return FAILED;
  }
}

async function perform(stage: OpenStage, json: boolean, { clock, dice, out }: DemoSurroundings): Promise<number> {
  const now = () => clock.now().getTime();
  const begun = now();
  if (!json) out('Three servers are started, each with a database and keys of its own ...');
  const open = await stage.open();
  const readyMs = now() - begun;
  if (!json) out(`They are ready after ${(readyMs / 1000).toFixed(1)} s.`);
  const story = acts(dice);
  const played: PlayedStep[] = [];
  for await (const step of play(story, open, now)) {
    if (!json) out(stepText(step, played.at(-1)));
    played.push(step);
  }
  const report = reportOf(story, played, now() - begun);
  out(json ? JSON.stringify({ readyMs, ...report }, undefined, 2) : reportText(report));
  return report.failed + report.notPlayed === 0 ? OK : FAILED;
}

/** Until somebody wants to end it. */
async function stay(stage: OpenStage, signal: AbortSignal, { err }: DemoSurroundings): Promise<void> {
  err('\nThe servers stay until you press Ctrl-C.\n');
  for (const { name, url, pid, apiKeyFile, log } of stage.places) {
    err(
      [
        `  ${name}`,
        `    ${url}/api/docs`,
        `    API key  ${apiKeyFile}`,
        `    log      ${log}`,
        `    process  ${pid}`,
      ].join('\n'),
    );
  }
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

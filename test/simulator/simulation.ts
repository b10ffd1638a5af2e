import { hash } from 'node:crypto';
import { Chance } from './chance.js';
import { FAULTS, type FaultName } from './faults.js';
import { type Breach, breaches } from './invariants.js';
import { allNewKeys } from './file-platform.js';
import type { Move } from './move.js';
import { draw, make, tell } from './moves.js';
import { Stage } from './stage.js';

export interface Setting {
  readonly seed: string;
  readonly servers: number;
  /** Processes of each server. */
  readonly replicas: number;
  readonly steps: number;
  readonly fault?: FaultName;
}

export interface Outcome {
  readonly moves: readonly Move[];
  readonly breaches: readonly Breach[];
  /** Of everything that was told, seen and sent: two runs with the same one were the same. */
  readonly fingerprint: string;
  readonly counts: ReadonlyMap<string, number>;
}

type Say = (line: string) => void;
type Next = (step: number, stage: Stage) => Promise<Move | undefined>;

/** A story that the seed decides. */
export function simulate(setting: Setting, say: Say): Promise<Outcome> {
  return play(setting, say, async (step, stage) => {
    const scene = await stage.scene(step);
    return step > setting.steps
      ? undefined
      : (draw(new Chance(`${setting.seed}/${step}`), scene) ?? { kind: 'settle' });
  });
}

/** The same moves again, or those that are left of them. */
export function replay(setting: Setting, moves: readonly Move[], say: Say): Promise<Outcome> {
  return play(setting, say, async (step) => moves[step - 1]);
}

async function play({ seed, servers, replicas, fault }: Setting, say: Say, next: Next): Promise<Outcome> {
  const choice = new Chance(`${seed}/replicas`);
  const processes = { count: replicas, choose: (below: number) => choice.below(below) };
  await using stage = await Stage.open(servers, fault && FAULTS[fault], processes);
  const moves: Move[] = [];
  const told: string[] = [];
  const line = (text: string) => {
    told.push(text);
    say(text);
  };
  for (let step = 1; stage.ledger.surprises.length === 0; step++) {
    const move = await next(step, stage);
    if (!move) break;
    moves.push(move);
    const said = await make(move, stage);
    line(`${String(step).padStart(4)}  ${tell(move)}: ${said}`);
    for (const news of await stage.note()) line(`      ${news}`);
  }
  await recover(stage);
  const found = await breaches(stage);
  const { counts } = stage.ledger;
  const epochs = new Set(stage.chronicle.sights.map(({ mlsGroupId, epoch }) => `${mlsGroupId} ${epoch}`));
  counts.set('epochs seen', epochs.size);
  counts.set('requests', stage.network.exchanges.length);
  counts.set('messages sealed', stage.seals.count);
  const sent = stage.network.exchanges.map(({ from, to, what, outcome }) => [from, to, what, outcome]);
  const fingerprint = hash('sha256', JSON.stringify([told, stage.chronicle.sights, sent, found])).slice(0, 16);
  return { moves, breaches: found, fingerprint, counts };
}

const HOUR = 60;
/** Not quite one: leaves are renewed at the same times of every day, and what was proposed just then is on its way. */
const DAY = 23 * HOUR + 7;
/** Longer than an owner is waited for. */
const MOST_DAYS = 8;

/** The network is whole, and time passes until nothing is left to do, or too long. */
async function recover(stage: Stage): Promise<void> {
  await stage.heal();
  await stage.pass(2 * HOUR);
  await stage.note();
  while (await allNewKeys(stage)) await stage.pass(HOUR);
  for (let days = 0; days < MOST_DAYS && (await breaches(stage)).length > 0; days++) {
    await stage.pass(DAY);
    await stage.note();
    while (await allNewKeys(stage)) await stage.pass(HOUR);
  }
}

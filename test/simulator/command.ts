import { parseArgs } from 'node:util';
import { FAULTS, type FaultName } from './faults.js';
import type { Setting } from './simulation.js';
import { MOST_REPLICAS, MOST_SERVERS } from './stage.js';

export interface Command extends Setting {
  /** How many seeds, from the first one on. */
  readonly seeds: number;
  readonly shrink: boolean;
}

const OPTIONS = {
  seed: { type: 'string', default: '1' },
  seeds: { type: 'string', default: '1' },
  servers: { type: 'string', default: '6' },
  replicas: { type: 'string', default: '1' },
  steps: { type: 'string', default: '400' },
  fault: { type: 'string' },
  'no-shrink': { type: 'boolean', default: false },
} as const;

/** Throws for what cannot be understood. */
export function commandFrom(args: string[]): Command {
  const { values } = parseArgs({ args, options: OPTIONS });
  const { seed, fault } = values;
  if (fault !== undefined && !Object.hasOwn(FAULTS, fault)) {
    throw new Error(`--fault is one of ${Object.keys(FAULTS).join(', ')}`);
  }
  return {
    seed,
    seeds: whole('seeds', values.seeds, 1, 1_000_000),
    servers: whole('servers', values.servers, 2, MOST_SERVERS),
    replicas: whole('replicas', values.replicas, 1, MOST_REPLICAS),
    steps: whole('steps', values.steps, 1, 1_000_000),
    shrink: !values['no-shrink'],
    ...(fault === undefined ? {} : { fault: fault as FaultName }),
  };
}

function whole(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Error(`--${name} is a whole number from ${least} to ${most}`);
}

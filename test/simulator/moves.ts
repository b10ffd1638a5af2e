import { ACCIDENTS } from './accidents.js';
import { Chance } from './chance.js';
import { kind, type Kind, type Move, type Scene } from './move.js';
import { PASSING } from './passing.js';
import { PEOPLE } from './people.js';
import { SHARING } from './sharing.js';
import type { Stage } from './stage.js';

interface Rush extends Move {
  readonly seed: string;
  readonly moves: readonly Move[];
}

const SINGLE: Readonly<Record<string, Kind>> = { ...PEOPLE, ...SHARING, ...ACCIDENTS, ...PASSING };

const RUSHING = Object.fromEntries(Object.entries(SINGLE).filter(([, { rushes }]) => rushes));
/** Servers work while people ask, and while others work. */
const WORKING = 50;
const TWICE = 40;

/** Two to four moves at the same time, their statements in an order that the seed decides. */
const rush = kind<Rush>({
  weight: 14,
  draw(chance, scene) {
    const moves: Move[] = [];
    for (let left = chance.between(2, 4); left > 0; left--) {
      const one = drawFrom(chance.happens(WORKING) ? { work: PASSING.work } : RUSHING, chance, scene);
      if (!one) continue;
      moves.push(one);
      const again = chance.happens(TWICE) ? RUSHING[one.kind]!.again?.(one, chance) : undefined;
      if (again) moves.push(again);
    }
    return moves.length < 2 ? undefined : { seed: String(chance.below(2 ** 32)), moves };
  },
  tell: ({ moves }) => `at once: ${moves.map(tell).join('; ')}`,
  async make({ seed, moves }, stage) {
    const said: string[] = [];
    const works = moves.map((move, at) => async () => {
      said[at] = await makeOne(move, stage);
    });
    await stage.race(works, new Chance(seed));
    return said.join('; ');
  },
});

const ALL: Readonly<Record<string, Kind>> = { ...SINGLE, rush };

/** A world without groups has no story, and where no server runs one is started. */
export function draw(chance: Chance, scene: Scene): Move | undefined {
  const { hosts, isAlive } = scene.stage;
  if (!hosts.some(isAlive)) return drawFrom({ restart: ACCIDENTS.restart }, chance, scene);
  return drawFrom(scene.groups.length === 0 ? { create: PEOPLE.create } : ALL, chance, scene);
}
export const tell = (move: Move): string => ALL[move.kind]!.tell(move);

/** Makes a move; what fails inside is noted. */
export async function make(move: Move, stage: Stage): Promise<string> {
  stage.ledger.count(Object.hasOwn(ACCIDENTS, move.kind) ? 'accidents' : 'moves');
  return makeOne(move, stage);
}

async function makeOne(move: Move, stage: Stage): Promise<string> {
  try {
    return await ALL[move.kind]!.make(move, stage);
  } catch (error) {
    stage.ledger.surprises.push(`${tell(move)}: ${String(error)}`);
    return String(error);
  }
}

const TRIES = 12;

/** By weight; a kind that has nothing sensible to do leaves it to another. */
function drawFrom(kinds: Readonly<Record<string, Kind>>, chance: Chance, scene: Scene): Move | undefined {
  const choice = Object.entries(kinds).map(([name, { weight }]) => ({ name, weight }));
  for (let tries = 0; tries < TRIES; tries++) {
    const { name } = chance.weighted(choice)!;
    const drawn = kinds[name]!.draw(chance, scene);
    if (drawn) return { kind: name, ...drawn };
  }
  return undefined;
}

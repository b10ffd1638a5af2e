import { ACCIDENTS } from './accidents.js';
import { Chance } from './chance.js';
import { kind, type Kind, type Move, type Scene } from './move.js';
import { PASSING } from './passing.js';
import { PEOPLE } from './people.js';
import type { Stage } from './stage.js';

interface Rush extends Move {
  readonly seed: string;
  readonly moves: readonly Move[];
}

const SINGLE: Readonly<Record<string, Kind>> = { ...PEOPLE, ...ACCIDENTS, ...PASSING };

/** Two or three moves at the same time, their statements in an order that the seed decides. */
const rush = kind<Rush>({
  weight: 14,
  draw(chance, scene) {
    const moves: Move[] = [];
    const rushing = Object.fromEntries(Object.entries(SINGLE).filter(([, { rushes }]) => rushes));
    for (let left = chance.between(2, 3); left > 0; left--) {
      const one = drawFrom(rushing, chance, scene);
      if (one) moves.push(one);
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

/** A world without groups has no story. */
export const draw = (chance: Chance, scene: Scene): Move | undefined =>
  drawFrom(scene.groups.length === 0 ? { create: PEOPLE.create } : ALL, chance, scene);
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

import type { Chance } from './chance.js';
import type { GroupAt } from './observer.js';
import type { Stage } from './stage.js';

/** One step of a story: plain data that says all, so that a story can be written down, replayed, and cut. */
export interface Move {
  readonly kind: string;
}

/** What a move is drawn from: the world at this moment. */
export interface Scene {
  readonly stage: Stage;
  readonly step: number;
  /** As each server that is alive has them. */
  readonly groups: readonly GroupAt[];
}

/** A kind of move: how it is drawn, told and made. */
export interface Kind<M extends Move = Move> {
  readonly weight: number;
  /** Whether several of them may go on at the same time, statement by statement. */
  readonly rushes?: boolean;
  /** The same once more, at the same time: somebody clicks twice. None when that makes no sense. */
  readonly again?: (move: M, chance: Chance) => M;
  /** A move that makes some sense now; none when there is no such. */
  readonly draw: (chance: Chance, scene: Scene) => Omit<M, 'kind'> | undefined;
  readonly tell: (move: M) => string;
  /** Says what came of it. Throws only when something is wrong with the world. */
  readonly make: (move: M, stage: Stage) => Promise<string>;
}

/** For the table: there all kinds are alike. */
export const kind = <M extends Move>({ draw, tell, make, again, ...rest }: Kind<M>): Kind => ({
  ...rest,
  draw,
  ...(again && { again: (move, chance) => again(move as M, chance) }),
  tell: (move) => tell(move as M),
  make: (move, stage) => make(move as M, stage),
});

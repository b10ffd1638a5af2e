import { kind, type Move } from './move.js';

interface For extends Move {
  readonly minutes: number;
}

/** Long enough for owners to be missed and taken over. */
const LONGEST_TROUBLE = 8 * 24 * 60;
const done = 'so it is';

const work = kind<Move & { readonly host: string }>({
  weight: 12,
  rushes: true,
  draw(chance, { stage }) {
    const host = chance.pick(stage.hosts.filter(stage.isAlive));
    return host === undefined ? undefined : { host };
  },
  tell: ({ host }) => `${host} works`,
  async make({ host }, stage) {
    await stage.work(host);
    return done;
  },
});

const settle = kind<Move>({
  weight: 14,
  draw: () => ({}),
  tell: () => 'all work until nothing is left to do',
  async make(_, stage) {
    await stage.settle();
    return done;
  },
});

const pass = kind<For>({
  weight: 8,
  draw(chance, { stage }) {
    const longest = LONGEST_TROUBLE - stage.troubledFor;
    const minutes = chance.happens(70) ? chance.between(1, 60) : chance.between(60, 6 * 60);
    return minutes < longest ? { minutes } : undefined;
  },
  tell: ({ minutes }) => `${minutes} minutes go by`,
  async make({ minutes }, stage) {
    await stage.pass(minutes);
    stage.ledger.count('minutes', minutes);
    return done;
  },
});

const jump = kind<For>({
  weight: 2,
  draw(chance, { stage }) {
    const most = stage.troubledFor > 0 ? LONGEST_TROUBLE - Math.ceil(stage.troubledFor) : 4 * 24 * 60;
    return most > 60 ? { minutes: chance.between(60, most) } : undefined;
  },
  tell: ({ minutes }) => `all clocks jump by ${minutes} minutes`,
  async make({ minutes }, stage) {
    stage.jump(minutes);
    stage.ledger.count('minutes', minutes);
    return done;
  },
});

/** What moves the world on. */
export const PASSING = { work, settle, pass, jump };

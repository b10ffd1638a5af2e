import { hostOf, ocmAddress } from '../../src/kernel/address.js';
import type { Chance } from './chance.js';
import { kind, type Move, type Scene } from './move.js';
import type { GroupAt } from './observer.js';
import type { Stage } from './stage.js';

interface OnLink extends Move {
  readonly from: string;
  readonly to: string;
}
interface OnHost extends Move {
  readonly host: string;
}

function link(chance: Chance, { stage }: Scene): Omit<OnLink, 'kind'> {
  const [from, to] = chance.some(stage.hosts, 2);
  return { from: from!, to: to! };
}

const alive = (chance: Chance, { stage }: Scene): Omit<OnHost, 'kind'> | undefined => {
  const host = chance.pick(stage.hosts.filter(stage.isAlive));
  return host === undefined ? undefined : { host };
};

const at = (address: string): string => hostOf(ocmAddress(address));
const done = 'so it is';

/** An accident that happens to the next exchange of a link. */
const toNext = (weight: number, what: string, happen: (stage: Stage, from: string, to: string) => unknown) =>
  kind<OnLink>({
    weight,
    draw: link,
    tell: ({ from, to }) => `the next request from ${from} to ${to} ${what}`,
    async make({ from, to }, stage) {
      happen(stage, from, to);
      stage.ledger.count('accidents on the wire');
      return done;
    },
  });

const delay = kind<OnLink & { readonly minutes: number }>({
  weight: 4,
  draw: (chance, scene) => ({ ...link(chance, scene), minutes: chance.between(1, 240) }),
  tell: ({ from, to, minutes }) => `the next request from ${from} to ${to} is ${minutes} minutes late`,
  async make({ from, to, minutes }, stage) {
    stage.link(from, to).delayNext(minutes * 60_000);
    stage.ledger.count('accidents on the wire');
    return done;
  },
});

const detour = kind<OnLink & { readonly minutes: number }>({
  weight: 4,
  draw: (chance, scene) => ({ ...link(chance, scene), minutes: chance.between(1, 240) }),
  tell: ({ from, to, minutes }) =>
    `the next file keys from ${from} to ${to} are passed by others for ${minutes} minutes`,
  async make({ from, to, minutes }, stage) {
    stage.detours.lead(from, to, minutes);
    stage.ledger.count('detours');
    return done;
  },
});

const cut = kind<OnLink>({
  weight: 4,
  draw: link,
  tell: ({ from, to }) => `nothing comes from ${from} to ${to} any more`,
  async make({ from, to }, stage) {
    stage.cut(from, to);
    stage.ledger.count('cuts');
    return done;
  },
});

const isolate = kind<OnHost>({
  weight: 2,
  draw: (chance, { stage }) => ({ host: chance.pick(stage.hosts)! }),
  tell: ({ host }) => `${host} is cut off`,
  async make({ host }, stage) {
    for (const other of stage.hosts.filter((one) => one !== host)) {
      stage.cut(host, other);
      stage.cut(other, host);
    }
    stage.ledger.count('cuts');
    return done;
  },
});

const mend = kind<Move>({
  weight: 6,
  draw: (_, { stage }) => (stage.broken.length > 0 ? {} : undefined),
  tell: () => 'the network is mended',
  async make(_, stage) {
    for (const { from, to } of stage.broken) stage.mend(from, to);
    return done;
  },
});

const crash = kind<OnHost & { readonly statement: number; readonly when: 'before' | 'after' }>({
  weight: 7,
  draw(chance, scene) {
    const found = alive(chance, scene);
    return found && { ...found, statement: chance.between(1, 250), when: chance.happens(50) ? 'before' : 'after' };
  },
  tell: ({ host, statement, when }) => `${host} will die ${when} its statement ${statement} from now`,
  async make({ host, statement, when }, stage) {
    if (!stage.isAlive(host)) return 'it is dead';
    stage.server(host).crash.arm(statement, when);
    return done;
  },
});

const kill = kind<OnHost>({
  weight: 2,
  draw: alive,
  tell: ({ host }) => `${host} is killed`,
  async make({ host }, stage) {
    if (!stage.isAlive(host)) return 'it is dead';
    await stage.kill(host);
    return done;
  },
});

const restart = kind<OnHost>({
  weight: 12,
  draw(chance, { stage }) {
    const host = chance.pick(stage.hosts.filter((one) => !stage.isWhole(one)));
    return host === undefined ? undefined : { host };
  },
  tell: ({ host }) => `${host} is started again`,
  async make({ host }, stage) {
    if (stage.isWhole(host)) return 'it runs';
    await stage.restart(host);
    return done;
  },
});

const skew = kind<OnHost & { readonly seconds: number }>({
  weight: 3,
  // Mostly as far as clocks of machines that are looked after go apart; now and then too far for any signature.
  draw: (chance, { stage }) => ({
    host: chance.pick(stage.hosts)!,
    seconds: chance.happens(80) ? chance.between(-20, 20) : chance.between(-900, 900),
  }),
  tell: ({ host, seconds }) => `the clock of ${host} is off by ${seconds} s`,
  async make({ host, seconds }, stage) {
    stage.clock(host).skewMs = seconds * 1000;
    stage.ledger.count('skewed clocks');
    return done;
  },
});

const backUp = kind<OnHost>({
  weight: 3,
  draw: alive,
  tell: ({ host }) => `the database of ${host} is copied`,
  async make({ host }, stage) {
    if (!stage.isAlive(host)) return 'it is dead';
    await stage.backUp(host);
    return done;
  },
});

/**
 * Where nobody else has what is lost, or no admin of then is one now, it is lost, and where the owner server forgets a
 * Commit that it has let others know, there are two histories: no server can mend that, so it does not happen here.
 */
const restoreBackup = kind<OnHost>({
  weight: 3,
  draw(chance, { stage, groups }) {
    const spared = stage.backedUp.filter((host) =>
      groups
        .filter((group) => group.host === host && group.state !== 'left')
        .every((group) => mayGoBack(group, stage, groups)),
    );
    const host = chance.pick(spared.filter(stage.isAlive));
    return host === undefined ? undefined : { host };
  },
  tell: ({ host }) => `${host} is set up anew from the copy of its database`,
  async make({ host }, stage) {
    if (!stage.isAlive(host) || !stage.backedUp.includes(host)) return 'it cannot be';
    await stage.restoreBackup(host);
    stage.ledger.count('restored backups');
    return done;
  },
});

function mayGoBack({ host, mlsGroupId, epoch, admins, members }: GroupAt, stage: Stage, groups: readonly GroupAt[]) {
  const then = stage.copied(host, mlsGroupId);
  if (!then) return false;
  if (members.every((member) => at(member) === host)) return true;
  const isThere = (server: string) =>
    groups.some((one) => one.host === server && one.mlsGroupId === mlsGroupId && one.state === 'active');
  const known = admins.filter((admin) => then.admins.includes(admin)).map(at);
  if (!known.some((server) => server !== host && isThere(server))) return false;
  return then.epoch === epoch || ![admins[0], then.admins[0]].some((owner) => owner && at(owner) === host);
}

/** What happens to the network and to machines. */
export const ACCIDENTS = {
  'lose-request': toNext(5, 'is lost', (stage, from, to) => stage.link(from, to).loseNextRequest()),
  'lose-answer': toNext(6, 'gets no answer', (stage, from, to) => stage.link(from, to).loseNextResponse()),
  duplicate: toNext(4, 'comes twice', (stage, from, to) => stage.link(from, to).duplicateNext()),
  reorder: toNext(4, 'comes after the one behind it', (stage, from, to) => stage.link(from, to).reorderNext()),
  delay,
  detour,
  cut,
  isolate,
  mend,
  crash,
  kill,
  restart,
  skew,
  'back-up': backUp,
  'restore-backup': restoreBackup,
};

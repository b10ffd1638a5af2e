import { hostOf, ocmAddress } from '../../src/kernel/address.js';
import type { Change, Person } from '../support/cast.js';
import type { Chance } from './chance.js';
import { copyKeys } from './file-platform.js';
import { kind, type Move, type Scene } from './move.js';
import type { GroupAt } from './observer.js';
import type { Said, Stage } from './stage.js';
import { usurp } from './usurper.js';

interface InGroup extends Move {
  readonly by: string;
  readonly group: string;
}
interface ToSomebody extends InGroup {
  readonly who: string;
}

/** Mostly people ask for what may be; now and then for anything. */
const SENSE = 90;

const at = (person: string): string => hostOf(ocmAddress(person));
export const local = ({ host, members }: GroupAt): string[] => members.filter((member) => at(member) === host);
const localAdmins = ({ host, admins }: GroupAt): string[] => admins.filter((admin) => at(admin) === host);
export const living = ({ groups }: Scene): GroupAt[] => groups.filter(({ state }) => state === 'active');

/** A group with one of its admins, as that admin's server has it. */
function ruled(chance: Chance, scene: Scene): { group: GroupAt; by: string } | undefined {
  const group = chance.pick(living(scene).filter((one) => localAdmins(one).length > 0));
  if (!group) return undefined;
  const by = chance.pick(chance.happens(SENSE) ? localAdmins(group) : local(group));
  return by === undefined ? undefined : { group, by };
}

/** The wish of an admin about somebody of whom it makes sense. */
const about =
  (makesSense: (who: string, group: GroupAt) => boolean) =>
  (chance: Chance, scene: Scene): Omit<ToSomebody, 'kind'> | undefined => {
    const found = ruled(chance, scene);
    if (!found) return undefined;
    const { group, by } = found;
    const anybody = scene.stage.people.map(({ address }) => address as string);
    const who = chance.pick(chance.happens(SENSE) ? anybody.filter((one) => makesSense(one, group)) : anybody);
    return who === undefined ? undefined : { by, group: group.address, who };
  };

/** Asks for a change, and writes down what was promised. */
async function wish(
  stage: Stage,
  { kind: what, by, group, who }: ToSomebody,
  ask: (person: Person) => Promise<Change>,
): Promise<string> {
  const said = await stage.ask(by, ask);
  if (said.kind !== 'no') {
    const id = said.kind === 'yes' ? said.answer.id : undefined;
    stage.ledger.asked.push({ host: at(by), group, by, kind: what, who, id });
  }
  return outcome(said);
}

export const outcome = (said: Said<unknown>): string => {
  if (said.kind === 'no') return said.why;
  return said.kind === 'yes' ? 'yes' : 'its server died over it';
};

const create = kind<InGroup>({
  weight: 6,
  draw(chance, { stage, step, groups }) {
    // A few groups, so that much happens in each.
    if (new Set(groups.map(({ address }) => address)).size > stage.hosts.length / 2) return undefined;
    const by = chance.pick(stage.people.filter(({ address }) => stage.isAlive(at(address))))?.address;
    return by === undefined ? undefined : { by, group: `lab${step}@${at(by)}` };
  },
  tell: ({ by, group }) => `${by} creates ${group}`,
  async make({ by, group }, stage) {
    stage.ledger.creators.set(group, by);
    const said = await stage.ask(by, (who) => who.createGroup(group.split('@')[0]!));
    if (said.kind === 'yes') stage.ledger.created.push({ host: at(by), address: group });
    return outcome(said);
  },
});

const add = kind<ToSomebody>({
  weight: 24,
  rushes: true,
  draw: about((who, { members }) => !members.includes(who)),
  tell: ({ by, group, who }) => `${by} adds ${who} to ${group}`,
  make: (move, stage) => wish(stage, move, (by) => by.add(move.group, move.who)),
});

const remove = kind<ToSomebody>({
  weight: 6,
  rushes: true,
  draw: about((who, { members }) => members.includes(who)),
  tell: ({ by, group, who }) => `${by} removes ${who} from ${group}`,
  async make(move, stage) {
    await copyKeys(stage, move.who);
    return wish(stage, move, (by) => by.remove(move.group, move.who));
  },
});

const appoint = kind<ToSomebody>({
  weight: 14,
  rushes: true,
  draw: about((who, { members, admins }) => members.includes(who) && !admins.includes(who)),
  tell: ({ by, group, who }) => `${by} appoints ${who} in ${group}`,
  make: (move, stage) => wish(stage, move, (by) => by.appoint(move.group, move.who)),
});

const dismiss = kind<ToSomebody>({
  weight: 5,
  rushes: true,
  draw: about((who, { admins }) => admins.includes(who)),
  tell: ({ by, group, who }) => (by === who ? `${by} resigns in ${group}` : `${by} dismisses ${who} in ${group}`),
  make: (move, stage) => wish(stage, move, (by) => by.dismiss(move.group, move.who)),
});

const leave = kind<InGroup>({
  weight: 4,
  rushes: true,
  draw(chance, scene) {
    const group = chance.pick(living(scene));
    const by = group && chance.pick(local(group));
    return by === undefined ? undefined : { by, group: group!.address };
  },
  tell: ({ by, group }) => `${by} leaves ${group}`,
  async make(move, stage) {
    await copyKeys(stage, move.by);
    return wish(stage, { ...move, who: move.by }, (by) => by.leave(move.group));
  },
});

/** Who left before the ReInit takes an invitation to the successor from an admin of then only, and those may all change. */
const reinit = kind<ToSomebody>({
  weight: 1,
  draw(chance, scene) {
    const found = ruled(chance, scene);
    const isLeft = scene.groups.some(({ address, state }) => address === found?.group.address && state === 'left');
    return !found || isLeft ? undefined : { by: found.by, group: found.group.address, who: found.group.address };
  },
  tell: ({ by, group }) => `${by} reinitialises ${group}`,
  make: (move, stage) => wish(stage, move, (by) => by.reinit(move.group)),
});

/** An admin looks into the inbox, and decides about the first request. */
const decide = kind<Move & { readonly by: string; readonly how: 'approve' | 'decline' }>({
  weight: 5,
  rushes: true,
  draw(chance, scene) {
    const by = ruled(chance, scene)?.by;
    return by === undefined ? undefined : { by, how: chance.happens(80) ? 'approve' : 'decline' };
  },
  tell: ({ by, how }) => `${by} looks into the inbox, to ${how}`,
  async make({ by, how }, stage) {
    const said = await stage.ask(by, async (who) => {
      const [first] = await who.approvals();
      if (!first) return 'there is nothing';
      await who[how](first);
      return `${first.kind} ${first.subject}: yes`;
    });
    return said.kind === 'yes' ? said.answer : outcome(said);
  },
});

/** A server that does not keep the rules: a member who is no admin makes itself one. */
const usurpation = kind<InGroup>({
  weight: 8,
  draw(chance, scene) {
    const ripe = living(scene).filter(
      (one) =>
        localAdmins(one).length > 0 && at(one.admins[0]!) !== one.host && local(one).length > localAdmins(one).length,
    );
    const group = chance.pick(ripe);
    const by = group && chance.pick(local(group).filter((member) => !group.admins.includes(member)));
    return by === undefined ? undefined : { by, group: group!.address };
  },
  tell: ({ by, group }) => `${by} makes a Commit in ${group} without being an admin`,
  make: ({ by, group }, stage) => usurp(stage, by, group),
});

/** What people do. Later rules of a group's life have one entry each here. */
export const PEOPLE = {
  create,
  add,
  remove,
  appoint,
  dismiss,
  leave,
  reinit,
  decide,
  usurpation,
};

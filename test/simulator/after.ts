import { hostOf, ocmAddress } from '../../src/kernel/address.js';
import type { Roster } from './chronicle.js';
import { type Chapter, historyOf } from './history.js';
import type { GroupAt, LoggedCommit } from './observer.js';
import type { Shared } from './ledger.js';
import type { Stage } from './stage.js';

const at = (address: string): string => hostOf(ocmAddress(address));

/** A group once the troubles are over: what its Commits tell, and how each server has it. */
export interface GroupAfter {
  readonly mlsGroupId: string;
  readonly address: string;
  readonly chapters: readonly Chapter[];
  /** The epoch that the first chapter begins in; what was before was not seen. */
  readonly from: number;
  readonly epoch: number;
  readonly members: readonly string[];
  readonly admins: readonly string[];
  /** By a ReInit: it has no members any more. */
  readonly ended: boolean;
  readonly on: readonly GroupAt[];
  /** Where the logs of two servers differ, or none has a Commit. */
  readonly torn: readonly string[];
}

/** How a group stood in an epoch. */
export function standing(group: GroupAfter, epoch: number): Pick<Chapter, 'members' | 'admins'> | undefined {
  return group.chapters.find((chapter) => chapter.epoch === epoch);
}

/** Whether a server has lost the group and cannot come back: none of the servers that it knows to have an admin is in it. */
export function isCastaway({ on, members }: GroupAfter, host: string): boolean {
  const lost = on.find((one) => one.host === host && one.state === 'drifted');
  return lost !== undefined && !knowsOneOf(lost, members);
}

const knowsOneOf = ({ host, admins }: GroupAt, members: readonly string[]): boolean => {
  const others = (addresses: readonly string[]) => addresses.map(at).filter((one) => one !== host);
  return others(admins).some((one) => others(members).includes(one));
};

/** Whose logs are those of the group: not of who is lost in a history that nobody else has. */
function historians(here: readonly GroupAt[]): readonly string[] {
  const members = here.filter(({ state }) => state === 'active').flatMap((one) => one.members);
  return here.filter((one) => one.state !== 'drifted' || knowsOneOf(one, members)).map(({ host }) => host);
}

/** Shares of servers that the others hear of. */
export const heardOf = ({ ledger }: Stage, groups: readonly GroupAfter[]): readonly Shared[] =>
  ledger.shared.filter(({ host }) => !groups.some((group) => isCastaway(group, host)));

/** The group that goes on under an address. */
export const living = (groups: readonly GroupAfter[], name: string): GroupAfter | undefined =>
  groups.find(({ address, ended }) => address === name && !ended);

export async function groupsAfter(stage: Stage): Promise<GroupAfter[]> {
  const on: GroupAt[] = [];
  const logged: LoggedCommit[] = [];
  for (const host of stage.hosts) {
    on.push(...(await stage.observer(host).groups()));
    logged.push(...(await stage.observer(host).log()));
  }
  const ids = [...new Set(on.map(({ mlsGroupId }) => mlsGroupId))];
  return ids.map((mlsGroupId) => {
    const here = on.filter((one) => one.mlsGroupId === mlsGroupId);
    const { address } = here[0]!;
    const roster = isSuccessor(stage, mlsGroupId) ? stage.chronicle.earliest(mlsGroupId) : founded(stage, address);
    if (!roster) return { mlsGroupId, address, ...UNSEEN, on: here };
    const from = historians(here);
    const of = (all: readonly LoggedCommit[]) =>
      all.filter((one) => one.mlsGroupId === mlsGroupId && from.includes(one.host));
    const { log, torn } = union(of(logged), of(stage.chronicle.logged), roster.epoch);
    const chapters = historyOf(roster, log);
    const members = roster.leaves.filter((leaf) => leaf !== null).sort();
    const { epoch, members: now, admins, reinit } = chapters.at(-1) ?? { ...roster, members, reinit: false };
    return {
      mlsGroupId,
      address,
      chapters,
      from: roster.epoch,
      epoch,
      members: reinit ? [] : now,
      admins,
      ended: reinit,
      on: here,
      torn,
    };
  });
}

const UNSEEN = {
  chapters: [],
  from: 0,
  epoch: 0,
  members: [],
  admins: [],
  ended: false,
  torn: ['nobody was ever seen in it'],
};

const isSuccessor = ({ chronicle }: Stage, group: string): boolean =>
  chronicle.audited.some(({ act, mlsGroupId }) => act === 'group.reinitialised' && mlsGroupId === group);

function founded({ ledger }: Stage, address: string): Roster {
  const creator = ledger.creators.get(address) ?? 'nobody';
  return { epoch: 0, leaves: [creator], admins: [creator] };
}

/** The logs of all servers as one, up to where it is torn; what none has any more is as it was seen. */
function union(
  logged: readonly LoggedCommit[],
  seen: readonly LoggedCommit[],
  first: number,
): { log: LoggedCommit[]; torn: string[] } {
  const log: LoggedCommit[] = [];
  const torn: string[] = [];
  const last = Math.max(-1, ...logged.map(({ epoch }) => epoch));
  for (let epoch = first; epoch <= last && torn.length === 0; epoch++) {
    const held = logged.filter((one) => one.epoch === epoch);
    const at = held.length > 0 ? held : seen.filter((one) => one.epoch === epoch);
    if (new Set(at.map(({ digest }) => digest)).size === 1) log.push(at[0]!);
    else
      torn.push(
        `epoch ${epoch} ended by ${at.map(({ host, digest }) => `${digest.slice(0, 8)} on ${host}`).join(', ') || 'nothing known'}`,
      );
  }
  return { log, torn };
}

import { hostOf, ocmAddress } from '../../src/kernel/address.js';
import { type GroupAfter, groupsAfter, heardOf, isCastaway, living, standing } from './after.js';
import { unapproved } from './approvals.js';
import type { Sight } from './chronicle.js';
import { filesOpen } from './files.js';
import type { Asked, Shared } from './ledger.js';
import type { Stage } from './stage.js';

export type Invariant = 1 | 2 | 3 | 4 | 5 | 6;

/** What must hold after every run, once the network is whole and time has passed. */
export const INVARIANTS: Readonly<Record<Invariant, string>> = {
  1: 'one history: all have the same tree, authenticator and group key in an epoch, and nobody loses it for nothing',
  2: 'every member reaches the latest epoch, and whoever was removed holds nothing of it',
  3: 'every Commit was signed by an admin of its epoch, and every Add and foreign Remove is approved in the audit log',
  4: 'no generation of a leaf carries two messages, and no KeyPackage but the last resort is used twice',
  5: 'nothing answered with success is missing, nothing is stuck, the queues drain',
  6: 'each share is seen, and each encrypted file read, by exactly the users whose leaf is in the tree',
};

export interface Breach {
  readonly invariant: Invariant;
  readonly what: string;
}

const at = (address: string): string => hostOf(ocmAddress(address));
const breach =
  (invariant: Invariant) =>
  (what: string): Breach => ({ invariant, what });

export async function breaches(stage: Stage): Promise<Breach[]> {
  const groups = await groupsAfter(stage);
  return [
    ...oneHistory(stage, groups).map(breach(1)),
    ...lostForNothing(stage).map(breach(1)),
    ...(await everybodyThere(stage, groups)).map(breach(2)),
    ...unapproved(groups, stage.chronicle.audited).map(breach(3)),
    ...usedOnce(groups).map(breach(4)),
    ...stage.seals.usedTwice(stage.network.exchanges).map(breach(4)),
    ...stage.ledger.surprises.map(breach(5)),
    ...(await promisesKept(stage, groups)).map(breach(5)),
    ...(await leftOver(stage)).map(breach(5)),
    ...[...stage.ledger.goneTooSoon, ...stage.ledger.wentBack].map(breach(6)),
    ...(await sharesSeen(stage, groups, await audiences(stage, groups))).map(breach(6)),
    ...(await filesOpen(stage, groups, await audiences(stage, groups, true))).map(breach(6)),
  ];
}

function oneHistory(stage: Stage, groups: readonly GroupAfter[]): string[] {
  const found = groups.flatMap(({ address, torn }) => torn.map((where) => `${address}: ${where}`));
  for (const { mlsGroupId, address, chapters } of groups) {
    const secrets = new Map<string, string>();
    for (const sight of stage.chronicle.sights.filter((one) => one.mlsGroupId === mlsGroupId)) {
      // What a Welcome of Commits led to that were taken back shows nowhere but in that the group was lost there.
      if (sight.ledBy === null && lost(stage, sight)) continue;
      const ledBy = sight.ledBy ?? chapters.find(({ epoch }) => epoch === sight.epoch)?.digest;
      const others = secrets.get(`${sight.epoch} ${ledBy}`) ?? sight.secrets;
      secrets.set(`${sight.epoch} ${ledBy}`, others);
      if (others !== sight.secrets) found.push(`${sight.host} has other secrets of epoch ${sight.epoch} of ${address}`);
    }
  }
  return found;
}

const lost = ({ chronicle }: Stage, { host, mlsGroupId }: Sight): boolean =>
  chronicle.audited.some((one) => one.act === 'group.drifted' && one.host === host && one.mlsGroupId === mlsGroupId);

/** What is lost is taken in again and so ends well, but nothing is lost without a reason. */
function lostForNothing({ chronicle: { audited } }: Stage): string[] {
  const mayBe = (host: string, group: string | null) =>
    audited.some(
      (one) =>
        (one.act === 'backup.restored' && one.host === host) ||
        (one.mlsGroupId === group && ['owner.taken-over', 'epoch.reverted'].includes(one.act)),
    );
  return audited
    .filter(({ act, facts }) => act === 'group.drifted' && facts['reason'] !== 'leaves-replaced')
    .filter(({ host, mlsGroupId }) => !mayBe(host, mlsGroupId))
    .map(({ host, group, facts }) => `${host} lost ${group} for nothing: ${String(facts['reason'])}`);
}

async function everybodyThere(stage: Stage, groups: readonly GroupAfter[]): Promise<string[]> {
  const found: string[] = [];
  for (const host of stage.hosts) {
    const leaves = await stage.observer(host).rows<{ mlsGroupId: string; address: string; epoch: number }>(
      `SELECT l.mls_group_id AS "mlsGroupId", l.address, g.epoch::integer AS epoch
       FROM mls_leaf l JOIN mls_group g USING (mls_group_id) ORDER BY 1, 2`,
    );
    for (const group of groups) {
      const { mlsGroupId, address, epoch, members, on, ended } = group;
      if (ended || isCastaway(group, host)) continue;
      const held = leaves.filter((leaf) => leaf.mlsGroupId === mlsGroupId);
      const seen = on.find((one) => one.host === host);
      for (const member of members.filter((one) => at(one) === host)) {
        const leaf = held.find((one) => one.address === member);
        if (leaf?.epoch === epoch && seen?.epoch === epoch && seen.state === 'active') continue;
        const where = leaf
          ? `at epoch ${leaf.epoch} (${seen?.state} ${seen?.epoch})`
          : `without a leaf (${seen?.state})`;
        found.push(`${member} is ${where} in ${address}, which is at ${epoch}`);
      }
      const gone = held.filter((leaf) => !members.includes(leaf.address));
      found.push(...gone.map((leaf) => `${leaf.address} holds a leaf of ${address} at ${leaf.epoch} and is no member`));
      if (seen?.epoch === epoch && seen.state === 'active' && seen.members.join() !== members.join()) {
        found.push(`${host} believes ${address} to be ${seen.members.join()} instead of ${members.join()}`);
      }
    }
  }
  return found;
}

function usedOnce(groups: readonly GroupAfter[]): string[] {
  const used = groups
    .flatMap(({ chapters }) => chapters.flatMap(({ deeds }) => deeds))
    .flatMap(({ who, usedUp }) => (usedUp === undefined ? [] : [`a KeyPackage of ${who} is used twice: ${usedUp}`]));
  return used.filter((one, index) => used.indexOf(one) !== index);
}

async function promisesKept(stage: Stage, groups: readonly GroupAfter[]): Promise<string[]> {
  const { ledger } = stage;
  const found: string[] = [];
  for (const { host, address } of ledger.created) {
    if (!groups.some((group) => group.address === address))
      found.push(`${address} was created on ${host} and is missing`);
  }
  for (const asked of ledger.asked) {
    const trouble = asked.id === undefined ? undefined : await unkept(stage, asked, groups);
    if (trouble) found.push(`${asked.by} asked in ${asked.group}: ${asked.kind} ${asked.who}, and ${trouble}`);
  }
  for (const share of ledger.shared) {
    const [row] = await stage
      .observer(share.host)
      .rows<{ reason: string | null }>('SELECT reason FROM share WHERE share_id = $1', [share.id]);
    if (!row) found.push(`the share of ${share.name} is missing on ${share.host}`);
    if (row?.reason === null && share.unshared === 'yes')
      found.push(`the share of ${share.name} was ended and goes on`);
    if (row?.reason === 'unshared' && share.unshared === 'no') found.push(`nobody ended the share of ${share.name}`);
  }
  return found;
}

async function unkept(stage: Stage, { host, kind, who, id, group: name }: Asked, groups: readonly GroupAfter[]) {
  const [change] = await stage
    .observer(host)
    .rows<{ state: string; epoch: number | null; fault: string | null; mlsGroupId: string }>(
      `SELECT state, epoch::integer AS epoch, fault, mls_group_id AS "mlsGroupId" FROM membership_change WHERE id = $1`,
      [id],
    );
  const now = living(groups, name);
  const group = groups.find(({ mlsGroupId }) => mlsGroupId === change?.mlsGroupId);
  if (!change || !group) return 'that is missing';
  // The admins may take their time.
  if (change.state === 'withdrawn' || change.state === 'proposed') return undefined;
  if (change.state === 'refused') return change.fault === null ? 'it was refused without a reason' : undefined;
  // whoever has become the last admin meanwhile waits for another one.
  if (kind === 'leave' && now?.admins.join() === who && change.state === 'prepared') return undefined;
  if (isCastaway(group, host)) return undefined;
  if (change.state !== 'done') return `it is still ${change.state}`;
  if (kind === 'reinit') {
    const ended = groups.some(({ address, ended: over }) => address === name && over);
    return ended ? undefined : 'it is said to be done, and the group goes on';
  }
  if (change.epoch! <= group.from) return undefined;
  const then = standing(group, change.epoch!);
  if (!then) return `it is said to be done in epoch ${change.epoch}, which never was`;
  const isMember = then.members.includes(who);
  const isAdmin = then.admins.includes(who);
  const true_ = { add: isMember, remove: !isMember, leave: !isMember, appoint: isAdmin, dismiss: !isAdmin }[kind];
  return true_ ? undefined : `it is said to be done in epoch ${change.epoch}, and is not`;
}

/** Rows that must not be there when nothing is left to do. */
const QUEUES: readonly string[] = [
  `outbox_letter WHERE state = 'waiting'`,
  `outbox_lane WHERE stopped_at IS NOT NULL`,
  `early_mail m LEFT JOIN federated_group g USING (mls_group_id) WHERE g.state IS DISTINCT FROM 'drifted'`,
  `share_server WHERE state IN ('due', 'announced')`,
  `pending_commit`,
  `federated_group WHERE submitted IS NOT NULL`,
  `queued_proposal p JOIN federated_group g USING (mls_group_id) WHERE p.epoch = g.epoch AND g.state = 'active'`,
];

async function leftOver(stage: Stage): Promise<string[]> {
  const found: string[] = [];
  for (const host of stage.hosts) {
    for (const queue of QUEUES) {
      const rows = await stage.observer(host).count(queue);
      if (rows > 0) found.push(`${host} has ${rows} left of: ${queue}`);
    }
  }
  return found;
}

async function sharesSeen(
  stage: Stage,
  groups: readonly GroupAfter[],
  open: ReadonlyMap<string, readonly string[]>,
): Promise<string[]> {
  const found: string[] = [];
  for (const { address } of stage.people) {
    if (groups.some((group) => isCastaway(group, at(address)))) continue;
    const said = await stage.ask(address, (who) => who.receives());
    const seen = said.kind === 'yes' ? said.answer.map(({ name }) => name) : [];
    for (const [name, users] of open) {
      const sees = seen.includes(name);
      if (sees !== users.includes(address)) found.push(`${address} ${sees ? 'sees' : 'does not see'} ${name}`);
    }
  }
  return found;
}

/** Who must see what is shared, all of it or what is encrypted alone, through whichever group. */
async function audiences(stage: Stage, groups: readonly GroupAfter[], encrypted = false) {
  const found = new Map<string, readonly string[]>();
  for (const share of heardOf(stage, groups)) {
    if (encrypted && !share.encrypted) continue;
    found.set(share.name, [...(found.get(share.name) ?? []), ...(await audience(stage, share, groups))]);
  }
  return found;
}

/** The members, as long as the share goes on. */
async function audience(stage: Stage, share: Shared, groups: readonly GroupAfter[]): Promise<readonly string[]> {
  const [goesOn] = await stage
    .observer(share.host)
    .rows('SELECT 1 FROM share WHERE share_id = $1 AND ended_at IS NULL', [share.id]);
  const members = living(groups, share.group)?.members ?? [];
  return goesOn && members.includes(share.by) ? members : [];
}

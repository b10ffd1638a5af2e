import type { z } from 'zod';
import type { approvalAnswer, approvalsAnswer } from '../../groups/approval-answers.js';
import type { groupAnswer, groupsAnswer } from '../../groups/group-answers.js';
import type { peerAnswer, peersAnswer, triedAgain } from '../../outbox/delivery-answers.js';
import type { doctorAnswer } from '../../console/doctor-answers.js';
import type { keysAnswer } from '../../ocm/key-answers.js';
import type { rotationAnswer, rotationsAnswer } from '../../shares/rotation-bodies.js';
import type { Screen } from './operator-arguments.js';
import { ago, counted, facts, table, until } from './terminal.js';
import { type Provider, provider, providers, type TrustAnswer, trust } from './trust-screens.js';

type Group = z.output<typeof groupAnswer>;
type Approval = z.output<typeof approvalAnswer>;
type NewFileKey = z.output<typeof rotationAnswer>;
type Peer = z.output<typeof peersAnswer>['peers'][number];

/** What each state of a group means to who runs the server. */
const STATES: Readonly<Record<Group['state'], string>> = {
  active: 'active',
  left: 'left: no user of this server is a member any more',
  drifted: 'drifted: its state was lost here, and the admins are asked to take this server in again',
  suspended: 'suspended: it ended with a ReInit and waits for its successor',
  superseded: 'superseded by its successor',
};

const WARNINGS: Readonly<Record<Group['warnings'][number], string>> = {
  'single-admin': 'it has one admin only: when that one is lost, nobody can change it any more',
  'server-refused':
    'members are at home on servers that may not federate with this one: nothing goes there or comes from there',
  'owner-refused': 'its owner server may not federate with this one, which can follow the group no more',
  'admins-on-one-server': 'all admins are on one server: nobody can take over from it',
};

/** Writes an answer for a person; times as in the answer, compared with `now`. */
export function screen(kind: Screen, answer: unknown, now: Date): string {
  switch (kind) {
    case 'groups':
      return groups(answer as z.output<typeof groupsAnswer>);
    case 'group':
      return group(answer as Group, now);
    case 'approvals':
      return approvals((answer as z.output<typeof approvalsAnswer>).approvals, now);
    case 'approval':
      return approval(answer as Approval, now).join('\n');
    case 'peers':
      return peers((answer as z.output<typeof peersAnswer>).peers, now);
    case 'peer':
      return peer(answer as z.output<typeof peerAnswer>, now);
    case 'tried':
      return `${counted((answer as z.output<typeof triedAgain>).lanes, 'lane')} tried again now`;
    case 'keys':
      return keys(answer as z.output<typeof keysAnswer>, now);
    case 'rotations':
      return rotations((answer as z.output<typeof rotationsAnswer>).rotations, now);
    case 'rotation':
      return rotations([answer as NewFileKey], now);
    case 'checks':
      return checks((answer as z.output<typeof doctorAnswer>).checks);
    case 'trust':
      return trust(answer as TrustAnswer, now);
    case 'providers':
      return providers((answer as { readonly providers: readonly Provider[] }).providers, now);
    case 'provider':
      return provider(answer as Provider, now);
    case 'done':
      return 'done';
    case 'lines':
      return String(answer).trimEnd();
  }
}

function groups({ groups: all }: z.output<typeof groupsAnswer>): string {
  if (all.length === 0) return 'no groups';
  return table(
    ['GROUP', 'STATE', 'EPOCH', 'ADMINS'],
    all.map(({ address, state, epoch, admins }) => [address, state, String(epoch), admins.join(' ')]),
  );
}

function group(one: Group, now: Date): string {
  const {
    address,
    mlsGroupId,
    state,
    epoch,
    ownerServer,
    admins,
    members,
    staleLeaves,
    refusedServers,
    warnings,
    lastCommit,
  } = one;
  const servers = new Set(members.map((member) => hostIn(member.address)));
  return [
    address,
    ...facts([
      ['state', STATES[state]],
      ['epoch', String(epoch)],
      ['owner server', ownerServer],
      ['members', `${counted(members.length, 'member')} on ${counted(servers.size, 'server')}`],
      ...(refusedServers.length > 0 ? [['refused', refusedServers.join(' ')] as const] : []),
      ['stale leaves', staleLeaves.length === 0 ? 'none' : staleLeaves.join(' ')],
      [
        'last Commit',
        lastCommit ? `${ago(lastCommit.recordedAt, now)} by ${lastCommit.committer}, ${lastCommit.digest}` : 'none yet',
      ],
      ['MLS group', mlsGroupId],
    ]),
    ...warnings.map((warning) => `  ! ${WARNINGS[warning]}`),
    '',
    table(
      ['LEAF', 'MEMBER', 'ROLE'],
      members.map((member) => [String(member.leafIndex), member.address, role(admins, member.address)]),
    ),
  ].join('\n');
}

function keys({ keys: all, sealing }: z.output<typeof keysAnswer>, now: Date): string {
  const since = (key: (typeof all)[number]) =>
    (key.signsFrom && `signs ${until(key.signsFrom, now)}`) ??
    (key.publishedUntil && `published until ${until(key.publishedUntil, now)}`) ??
    'signs';
  return [
    table(
      ['KEY', 'KIND', 'ALGORITHM', 'STATE', 'MADE', ''],
      all.map((key) => [key.kid, key.kind, key.alg, key.state, ago(key.createdAt, now), since(key)]),
    ),
    '',
    table(
      ['SEALING KEY', 'SEALED', ''],
      sealing.map(({ id, seals, values }) => [
        id,
        counted(values, 'value'),
        seals ? 'seals' : values === 0 ? 'may go' : 'opens what is not sealed anew yet',
      ]),
    ),
  ].join('\n');
}

/** Why a file is to have a new key, as far as a person wants to know. */
const CAUSES: Readonly<Record<NewFileKey['cause'], string>> = {
  'member-removed': 'a member was removed',
  'epochs-missed': 'a member may have been removed',
  'share-ended': 'a share of it ended',
  'shared-again': 'it is shared again',
  age: 'its key was old',
  asked: 'it was asked for',
};

const BAR_LENGTH = 20;

function bar({ state, bytesDone, bytesTotal }: NewFileKey): string {
  if (state === 'due') return 'waits for the file platform';
  const share = bytesTotal === null ? 0 : bytesTotal === 0 ? 1 : bytesDone / bytesTotal;
  const full = state === 'under-way' ? Math.floor(share * BAR_LENGTH) : BAR_LENGTH;
  const said = { 'under-way': `${Math.floor(share * 100)} %`, sending: 'the new key goes out', done: 'done' }[state];
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_LENGTH - full)}] ${said}`;
}

function rotations(all: readonly NewFileKey[], now: Date): string {
  if (all.length === 0) return 'no file is to have a new key';
  return table(
    ['RESOURCE', 'KEY', 'WISHED', 'WHY', ''],
    all.map((one) => [one.resourceId, String(one.version), ago(one.requestedAt, now), CAUSES[one.cause], bar(one)]),
  );
}

const MARKS = { ok: 'ok', warning: '!', wrong: 'WRONG' } as const;

const checks = (all: z.output<typeof doctorAnswer>['checks']): string =>
  table(
    ['', 'CHECK', 'FOUND'],
    all.map(({ state, name, says }) => [MARKS[state], name, says]),
  );

/** Admins by their place in the succession. */
const role = (admins: readonly string[], address: string): string => {
  const place = admins.indexOf(address);
  return place < 0 ? '' : `admin ${place + 1}`;
};

function approvals(all: readonly Approval[], now: Date): string {
  return all.length === 0 ? 'nothing to approve' : all.map((one) => approval(one, now).join('\n')).join('\n\n');
}

function approval(one: Approval, now: Date): string[] {
  const { id, group: address, kind, subject, proposer, state, requestedAt, lapsesAt, decidedBy, reason, effect } = one;
  const asks = proposer ?? 'this server: the leaf was not renewed in time';
  const lines = [
    ['asked by', `${asks}, ${ago(requestedAt, now)}`],
    ['state', decidedBy ? `${state} by ${decidedBy}${reason ? `: ${reason}` : ''}` : state],
    ...(effect ? effects(effect) : []),
    ...(lapsesAt ? [['lapses', `${until(lapsesAt, now)}, unless it is proposed again`]] : []),
    ['id', id],
  ];
  return [`${kind} ${subject} in ${address}`, ...facts(lines as [string, string][])];
}

function effects(effect: NonNullable<Approval['effect']>): [string, string][] {
  const { joins, leaves, serversJoin, serversLeave, adminsAppointed, adminsDismissed, ownerServer } = effect;
  const named: [string, readonly string[]][] = [
    ['joins', joins],
    ['leaves', leaves],
    ['new servers', serversJoin],
    ['servers gone', serversLeave],
    ['new admins', adminsAppointed],
    ['admins gone', adminsDismissed],
    ['moves to', ownerServer === null ? [] : [ownerServer]],
  ];
  return named.flatMap(([name, who]) => (who.length > 0 ? [[name, who.join(' ')] as [string, string]] : []));
}

function peers(all: readonly Peer[], now: Date): string {
  if (all.length === 0) return 'no servers were written to';
  return table(
    ['SERVER', 'STATE', 'SINCE', 'WAITING', 'DEAD', 'REFUSED', 'OLDEST', 'WHY'],
    all.map((one) => [
      one.peer,
      one.state,
      ago(one.since, now),
      String(one.waiting),
      String(one.dead),
      String(one.refused),
      one.oldestPostedAt ? ago(one.oldestPostedAt, now) : '',
      one.reason ?? '',
    ]),
  );
}

function peer({ lanes, letters, ...one }: z.output<typeof peerAnswer>, now: Date): string {
  const next = one.nextTryAt ? [`  next try ${until(one.nextTryAt, now)}`] : [];
  const laneRows = lanes.map(({ lane, state, depth, oldest }) => [
    lane,
    state,
    String(depth),
    oldest.kind,
    ago(oldest.postedAt, now),
    oldest.reason ?? '',
  ]);
  const letterRows = letters.map(({ id, state, kind, tries, reason }) => [
    id,
    state,
    kind,
    String(tries),
    reason ?? '',
  ]);
  return [
    peers([one], now),
    ...next,
    ...(lanes.length > 0 ? ['', table(['LANE', 'STATE', 'DEPTH', 'BEGINS WITH', 'POSTED', 'WHY'], laneRows)] : []),
    ...(letters.length > 0 ? ['', table(['LETTER', 'STATE', 'KIND', 'TRIES', 'WHY'], letterRows)] : []),
  ].join('\n');
}

const hostIn = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

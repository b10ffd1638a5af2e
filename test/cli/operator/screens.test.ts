import { expect, test } from 'vitest';
import { screen } from '../../../src/cli/operator/screens.js';

const now = new Date('2026-03-02T12:00:00.000Z');
const facts = { address: 'lab@a.test', mlsGroupId: 'mO4Q', epoch: 7, state: 'active', admins: ['bob@b.test'] };
const group = {
  ...facts,
  ownerServer: 'b.test',
  warnings: ['single-admin'],
  members: [
    { address: 'alice@a.test', leafIndex: 0 },
    { address: 'bob@b.test', leafIndex: 2 },
  ],
  staleLeaves: ['alice@a.test'],
  refusedServers: [],
  lastCommit: { digest: '5fec', committer: 'bob@b.test', recordedAt: '2026-03-02T09:30:00.000Z' },
};

test('all groups', () => {
  expect(
    screen('groups', { groups: [facts, { ...facts, address: 'x@a.test', state: 'drifted', epoch: 12 }] }, now),
  ).toBe(
    [
      'GROUP       STATE    EPOCH  ADMINS',
      'lab@a.test  active   7      bob@b.test',
      'x@a.test    drifted  12     bob@b.test',
    ].join('\n'),
  );
  expect(screen('groups', { groups: [] }, now)).toBe('no groups');
});

test('one group: who is in it, who can change it, what is wrong with it', () => {
  expect(screen('group', group, now)).toBe(
    [
      'lab@a.test',
      '  state         active',
      '  epoch         7',
      '  owner server  b.test',
      '  members       2 members on 2 servers',
      '  stale leaves  alice@a.test',
      '  last Commit   2 h ago by bob@b.test, 5fec',
      '  MLS group     mO4Q',
      '  ! it has one admin only: when that one is lost, nobody can change it any more',
      '',
      'LEAF  MEMBER        ROLE',
      '0     alice@a.test',
      '2     bob@b.test    admin 1',
    ].join('\n'),
  );
});

test('a drifted group says what happens next', () => {
  const drifted = screen('group', { ...group, state: 'drifted', lastCommit: null }, now);
  expect(drifted).toContain('drifted: its state was lost here, and the admins are asked to take this server in again');
  expect(drifted).toContain('last Commit   none yet');
});

const approval = {
  id: '3f0d',
  group: 'lab@a.test',
  kind: 'remove',
  subject: 'bob@b.test',
  proposer: 'carol@c.test',
  state: 'open',
  requestedAt: '2026-03-02T11:59:30.000Z',
  lapsesAt: '2026-03-02T12:59:30.000Z',
  decidedBy: null,
  decidedAt: null,
  reason: null,
  change: null,
  effect: {
    joins: [],
    leaves: ['bob@b.test'],
    serversJoin: [],
    serversLeave: ['b.test'],
    adminsAppointed: [],
    adminsDismissed: ['bob@b.test'],
    ownerServer: 'a.test',
  },
};

test('what waits for approval, and all that it would change', () => {
  expect(screen('approvals', { approvals: [approval] }, now)).toBe(
    [
      'remove bob@b.test in lab@a.test',
      '  asked by      carol@c.test, 30 s ago',
      '  state         open',
      '  leaves        bob@b.test',
      '  servers gone  b.test',
      '  admins gone   bob@b.test',
      '  moves to      a.test',
      '  lapses        in 59 min, unless it is proposed again',
      '  id            3f0d',
    ].join('\n'),
  );
  expect(screen('approvals', { approvals: [] }, now)).toBe('nothing to approve');
});

test('how it was decided, and that the service itself asked', () => {
  const decided = {
    ...approval,
    proposer: null,
    state: 'declined',
    decidedBy: 'alice@a.test',
    reason: 'no',
    effect: null,
  };
  const shown = screen('approval', decided, now);
  expect(shown).toContain('asked by      this server: the leaf was not renewed in time, 30 s ago');
  expect(shown).toContain('state         declined by alice@a.test: no');
});

const dead = {
  peer: 'b.test',
  state: 'failing',
  since: '2026-02-28T12:00:00.000Z',
  failures: 12,
  nextTryAt: '2026-03-02T12:20:00.000Z',
  reason: 'peer.unreachable',
  waiting: 3,
  dead: 0,
  refused: 0,
  oldestPostedAt: '2026-02-28T12:00:00.000Z',
};

test('a server that does not answer: since when, and what waits for it', () => {
  const oldest = { kind: 'MLS_COMMIT', postedAt: '2026-02-28T12:00:00.000Z', reason: 'peer.unreachable' };
  const lanes = [{ lane: 'mO4Q', state: 'waiting', depth: 3, oldest }];
  const letters = [{ id: '7f1d', state: 'refused', kind: 'MLS_WELCOME', tries: 1, reason: 'http 403' }];
  expect(screen('peer', { ...dead, lanes, letters }, now)).toBe(
    [
      'SERVER  STATE    SINCE    WAITING  DEAD  REFUSED  OLDEST   WHY',
      'b.test  failing  2 d ago  3        0     0        2 d ago  peer.unreachable',
      '  next try in 20 min',
      '',
      'LANE  STATE    DEPTH  BEGINS WITH  POSTED   WHY',
      'mO4Q  waiting  3      MLS_COMMIT   2 d ago  peer.unreachable',
      '',
      'LETTER  STATE    KIND         TRIES  WHY',
      '7f1d    refused  MLS_WELCOME  1      http 403',
    ].join('\n'),
  );
  expect(screen('peers', { peers: [] }, now)).toBe('no servers were written to');
  expect(screen('tried', { lanes: 1 }, now)).toBe('1 lane tried again now');
});

test('what others named does not steer the terminal', () => {
  const named = { ...facts, address: 'lab\u001b[2J@a.test\u202e' };
  expect(screen('groups', { groups: [named] }, now)).not.toMatch(/[\u001b\u202e]/);
  expect(screen('group', { ...group, ownerServer: 'b\u0007.test' }, now)).not.toContain('\u0007');
});

test('the audit log comes as it is', () => {
  expect(screen('lines', '{"act":"x"}\n', now)).toBe('{"act":"x"}');
});

test('keys: which one signs, which one will, which one goes, and what is sealed with what', () => {
  const key = { kid: 'a.test#http-1', kind: 'http', alg: 'Ed25519', createdAt: '2026-03-02T11:00:00.000Z' };
  const keys = [
    { ...key, state: 'next', signsFrom: '2026-03-02T17:00:00.000Z' },
    { ...key, kid: 'a.test#http-2', state: 'current' },
    { ...key, kid: 'a.test#http-3', state: 'retired', publishedUntil: '2026-03-04T12:00:00.000Z' },
  ];
  const sealing = [
    { id: '0a', seals: true, values: 7 },
    { id: '0b', seals: false, values: 1 },
    { id: '0c', seals: false, values: 0 },
  ];
  const shown = screen('keys', { keys, sealing }, now).split('\n');
  expect(shown[1]).toMatch(/^a\.test#http-1 .* next .* signs in 5 h$/);
  expect(shown[2]).toMatch(/^a\.test#http-2 .* current .* signs$/);
  expect(shown[3]).toMatch(/^a\.test#http-3 .* retired .* published until in 2 d$/);
  expect(shown.slice(-3)).toEqual([
    '0a           7 values  seals',
    '0b           1 value   opens what is not sealed anew yet',
    '0c           0 values  may go',
  ]);
});

test('what a doctor found, the bad of it in capitals', () => {
  const checks = [
    { name: 'discovery', state: 'ok', says: 'fine' },
    { name: 'letters', state: 'wrong', says: '2 letters are dead' },
    { name: 'peer b.test', state: 'warning', says: 'does not answer' },
  ];
  expect(screen('checks', { checks }, now)).toBe(
    [
      '       CHECK        FOUND',
      'ok     discovery    fine',
      'WRONG  letters      2 letters are dead',
      '!      peer b.test  does not answer',
    ].join('\n'),
  );
});

test('new file keys: how far each is', () => {
  const file = { resourceId: '3a02', version: 2, cause: 'member-removed', requestedAt: '2026-03-02T11:00:00.000Z' };
  const rotations = [
    { ...file, state: 'due', bytesDone: 0, bytesTotal: null },
    { ...file, state: 'under-way', bytesDone: 0, bytesTotal: null },
    { ...file, state: 'under-way', cause: 'age', bytesDone: 999, bytesTotal: 1000 },
    { ...file, state: 'sending', bytesDone: 0, bytesTotal: 0 },
    { ...file, state: 'done', bytesDone: 1000, bytesTotal: 1000 },
  ];
  expect(screen('rotations', { rotations }, now)).toBe(
    [
      'RESOURCE  KEY  WISHED   WHY',
      '3a02      2    1 h ago  a member was removed  waits for the file platform',
      '3a02      2    1 h ago  a member was removed  [....................] 0 %',
      '3a02      2    1 h ago  its key was old       [###################.] 99 %',
      '3a02      2    1 h ago  a member was removed  [####################] the new key goes out',
      '3a02      2    1 h ago  a member was removed  [####################] done',
    ].join('\n'),
  );
  expect(screen('rotations', { rotations: [] }, now)).toBe('no file is to have a new key');
});

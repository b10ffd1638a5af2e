import { describe, expect, test } from 'vitest';
import {
  afterCommit,
  afterRevert,
  type Change,
  type ChangeKind,
  firstState,
  objectionTo,
  readyState,
} from '../../src/groups/change.js';
import { host, hostOf, ocmAddress, type OcmAddress } from '../../src/kernel/address.js';
import { type CommitDigest, epoch, type MlsGroupId } from '../../src/kernel/ids.js';

const [alice, bob] = [ocmAddress('alice@a.test'), ocmAddress('bob@b.test')];
const standing = { state: 'active', epoch: epoch(5), admins: [alice], members: new Set([alice]) } as const;
const change = (kind: ChangeKind, subject = bob): Change => ({
  id: 'id',
  mlsGroupId: 'group' as MlsGroupId,
  kind,
  subject,
  actor: alice,
  approved: true,
  state: 'committing',
  digest: 'digest' as CommitDigest,
  tries: 1,
  nextTryAt: new Date(0),
  requestedAt: new Date(0),
});

test('only an Add has something to fetch before it can be committed', () => {
  expect(firstState({ kind: 'add', approved: true })).toBe('requested');
  expect(firstState({ kind: 'remove', approved: true })).toBe('prepared');
});

test('R-058 R-075 what anybody but an admin asks is proposed; to leave takes no approval', () => {
  expect(firstState({ kind: 'add', approved: false })).toBe('requested');
  expect(readyState({ kind: 'add', approved: false })).toBe('proposed');
  expect(readyState({ kind: 'add', approved: true })).toBe('prepared');
  expect(firstState({ kind: 'appoint', approved: false })).toBe('proposed');
  expect(firstState({ kind: 'leave', approved: false })).toBe('prepared');
});

describe('what is proposed, after a Commit that did not bring it', () => {
  const carol = ocmAddress('carol@a.test');
  const proposed: Change = {
    ...change('add', carol),
    actor: bob,
    approved: false,
    state: 'proposed',
    keyPackage: new Uint8Array(1),
  };
  const after = (admins: OcmAddress[], members: OcmAddress[]) =>
    afterCommit(proposed, { ...standing, admins, members: new Set(members) });

  test('is proposed on, also when its proposer has become an admin: to approve it is another act', () => {
    expect(after([alice], [alice, bob])).toBe(proposed);
    expect(after([alice, bob], [alice, bob])).toBe(proposed);
  });

  test('ends with the membership of its proposer', () => {
    expect(after([alice], [alice])).toMatchObject({ state: 'refused', fault: 'change.not-member' });
  });
});

describe('a wish', () => {
  const eve = ocmAddress('eve@b.test');
  const members = new Set([alice, bob]);
  const isMember = (user: OcmAddress) => members.has(user);
  const objection = (kind: ChangeKind, subject: OcmAddress, actor: OcmAddress) =>
    objectionTo({ kind, subject, actor }, { here: hostOf(actor), admins: [alice], isMember });

  test.each<[string | undefined, ChangeKind, OcmAddress, OcmAddress]>([
    [undefined, 'add', eve, bob],
    [undefined, 'appoint', bob, bob],
    [undefined, 'leave', bob, bob],
    ['change.not-member', 'add', eve, eve],
    ['change.already-member', 'add', bob, alice],
    ['change.not-member', 'remove', eve, alice],
    ['change.not-member', 'appoint', eve, alice],
    ['change.already-admin', 'appoint', alice, bob],
    ['change.no-admin', 'dismiss', bob, alice],
    ['change.own-leaf', 'remove', bob, bob],
    ['change.last-admin', 'remove', alice, bob],
    ['change.last-admin', 'dismiss', alice, alice],
  ])('meets %s: %s %s by %s', (fault, kind, subject, actor) => {
    expect(objection(kind, subject, actor)).toBe(fault);
  });

  test('is taken from users of this server only', () => {
    const wish = { kind: 'add', subject: eve, actor: bob } as const;
    expect(objectionTo(wish, { here: host('a.test'), admins: [alice], isMember })).toBe('change.not-local');
  });
});

test.each([
  ['remove', bob],
  ['leave', bob],
  ['dismiss', bob],
  ['add', alice],
  ['appoint', alice],
] as const)('%s of %s holds already, so it is done', (kind, subject) => {
  expect(afterCommit(change(kind, subject), standing)).toMatchObject({ state: 'done', epoch: 5 });
});

test.each([
  ['add', bob],
  ['appoint', bob],
  ['remove', alice],
  ['dismiss', alice],
] as const)('R-019 R-020 %s of %s did not come with this Commit and is free for the next', (kind, subject) => {
  const next = afterCommit(change(kind, subject), standing);
  expect(next.state).toBe('prepared');
  expect(next).not.toHaveProperty('digest');
});

test('an Add that has no KeyPackage yet goes on waiting for it', () => {
  const waiting = { ...change('add'), state: 'requested' } as const;
  expect(afterCommit(waiting, standing)).toBe(waiting);
});

test('what did not come true before the server left the group never will', () => {
  const left = { ...standing, state: 'left' } as const;
  expect(afterCommit(change('add'), left)).toMatchObject({ state: 'refused', fault: 'group.left' });
  expect(afterCommit(change('leave'), left)).toMatchObject({ state: 'done' });
});

describe('when Commits are taken back', () => {
  const now = new Date(7);
  const done = { ...change('add'), state: 'done', epoch: epoch(6), tries: 3 } as const;

  test('R-041 an Add that was done is open again, and fetches another KeyPackage', () => {
    const again = afterRevert({ ...done, keyPackage: new Uint8Array(1) }, now);
    expect(again).toMatchObject({ state: 'requested', tries: 0, nextTryAt: now });
    for (const gone of ['keyPackage', 'epoch', 'digest']) expect(again).not.toHaveProperty(gone);
  });

  test('another change that was done is open again', () => {
    expect(afterRevert({ ...done, kind: 'remove' }, now)).toMatchObject({ state: 'prepared', nextTryAt: now });
  });

  test('what no admin had approved is proposed again', () => {
    for (const state of ['done', 'prepared', 'proposed'] as const)
      expect(afterRevert({ ...change('remove'), approved: false, state, proposedIn: epoch(6) }, now)).toMatchObject({
        state: 'proposed',
      });
  });

  test('a leave that was proposed there is proposed again', () => {
    const leave = { ...change('leave'), state: 'prepared', proposedIn: epoch(6) } as const;
    expect(afterRevert(leave, now)).not.toHaveProperty('proposedIn');
  });

  test('a change that waited for a Commit of there is free, with the KeyPackage it has; one that has none waits on', () => {
    const keyPackage = new Uint8Array(1);
    expect(afterRevert({ ...change('add'), keyPackage }, now)).toMatchObject({ state: 'prepared', keyPackage });
    const waiting = { ...change('add'), state: 'requested' } as const;
    expect(afterRevert(waiting, now)).toBe(waiting);
  });
});

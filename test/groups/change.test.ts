import { describe, expect, test } from 'vitest';
import { afterCommit, afterRevert, type Change, type ChangeKind, firstState } from '../../src/groups/change.js';
import { ocmAddress } from '../../src/kernel/address.js';
import { type CommitDigest, epoch, type MlsGroupId } from '../../src/kernel/ids.js';

const [alice, bob] = [ocmAddress('alice@a.test'), ocmAddress('bob@b.test')];
const standing = { state: 'active', epoch: epoch(5), admins: [alice], members: new Set([alice]) } as const;
const change = (kind: ChangeKind, subject = bob): Change => ({
  id: 'id',
  mlsGroupId: 'group' as MlsGroupId,
  kind,
  subject,
  actor: alice,
  state: 'committing',
  digest: 'digest' as CommitDigest,
  tries: 1,
  nextTryAt: new Date(0),
  requestedAt: new Date(0),
});

test('only an Add has something to fetch before it can be committed', () => {
  expect(firstState('add')).toBe('requested');
  expect(firstState('remove')).toBe('prepared');
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

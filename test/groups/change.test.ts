import { expect, test } from 'vitest';
import { afterCommit, type Change, type ChangeKind, firstState } from '../../src/groups/change.js';
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

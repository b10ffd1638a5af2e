import { expect, test } from 'vitest';
import { CHANGE_KINDS, type Change, type ChangeKind } from '../../src/groups/change.js';
import type { Approval } from '../../src/groups/approval.js';
import { askedFor, cameToNothing, declinedBy, withdrawn } from '../../src/groups/change-audit.js';
import type { Group } from '../../src/groups/group.js';
import { ocmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';

const [alice, bob] = [ocmAddress('alice@a.test'), ocmAddress('bob@b.test')];
const group = { mlsGroupId: 'AAAA' as MlsGroupId, address: ocmAddress('lab@a.test'), epoch: epoch(4) } as Group;
const change = (kind: ChangeKind): Change => ({
  id: 'c1',
  mlsGroupId: group.mlsGroupId,
  kind,
  subject: bob,
  actor: alice,
  approved: true,
  state: 'requested',
  tries: 0,
  nextTryAt: new Date(0),
  requestedAt: new Date(0),
});

test.each(CHANGE_KINDS)('R-058 R-075 who asks for "%s" is named', (kind) => {
  expect(askedFor(change(kind), group)).toEqual({
    act: kind === 'leave' ? 'leave.asked' : 'change.approved',
    actor: alice,
    subject: bob,
    group: { mlsGroupId: 'AAAA', address: 'lab@a.test' },
    epoch: 4,
    facts: { change: 'c1', kind },
  });
});

test('what comes to nothing is told with the reason', () => {
  const refused = { ...change('add'), state: 'refused', fault: 'key-package.suite' } as const;
  expect(cameToNothing(refused, group)).toMatchObject({ act: 'change.refused', code: 'key-package.suite', epoch: 4 });
});

test('what a member proposes is told as such: it approves nothing', () => {
  const proposed = { ...change('add'), approved: false };
  expect(askedFor(proposed, group)).toMatchObject({ act: 'change.proposed', actor: alice, subject: bob });
  expect(askedFor({ ...change('leave'), approved: false }, group)).toMatchObject({ act: 'leave.asked' });
  expect(withdrawn(proposed, group)).toMatchObject({ act: 'change.withdrawn', facts: { change: 'c1', kind: 'add' } });
});

test('who declined what, and why, is told', () => {
  const declined: Approval = {
    id: 'a1',
    mlsGroupId: group.mlsGroupId,
    kind: 'add',
    subject: bob,
    proposer: bob,
    state: 'declined',
    reason: 'no',
    requestedAt: new Date(0),
  };
  expect(declinedBy(declined, alice, group)).toEqual({
    act: 'approval.declined',
    actor: alice,
    subject: bob,
    group: { mlsGroupId: 'AAAA', address: 'lab@a.test' },
    epoch: 4,
    facts: { approval: 'a1', kind: 'add', proposer: bob, reason: 'no' },
  });
});

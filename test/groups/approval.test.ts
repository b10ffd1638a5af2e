import { describe, expect, test } from 'vitest';
import {
  afterEpoch,
  type Approval,
  type ApprovalKind,
  asksOf,
  type Ask,
  DECLINED_FOR_MS,
  effectOf,
  filingOf,
  LAPSES_AFTER_MS,
} from '../../src/groups/approval.js';
import type { Group } from '../../src/groups/group.js';
import { host, ocmAddress, type OcmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';

const [alice, anna, bob, carol, dave] = [
  'alice@a.test',
  'anna@a.test',
  'bob@b.test',
  'carol@c.test',
  'dave@d.test',
].map(ocmAddress) as [OcmAddress, OcmAddress, OcmAddress, OcmAddress, OcmAddress];
const now = new Date('2027-01-04T09:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const group: Group = {
  mlsGroupId: 'group' as MlsGroupId,
  address: ocmAddress('lab@a.test'),
  epoch: epoch(5),
  state: 'active',
  instance: 1,
  history: 0,
  admins: [alice, bob],
};
const ask: Ask = { kind: 'add', subject: dave, proposer: carol, ref: 'two', epoch: epoch(5) };
const approval = (changes: Partial<Approval> = {}): Approval => ({
  ...ask,
  id: 'id',
  mlsGroupId: group.mlsGroupId,
  state: 'open',
  requestedAt: now,
  ...changes,
});

describe('what a proposal asks for', () => {
  const proposal = { ref: 'r', epoch: epoch(5), sender: carol };
  const asks = (kind: string, more: { target?: OcmAddress; admins?: OcmAddress[] } = {}) =>
    asksOf({ ...proposal, kind, ...more }, group).map(({ kind: asked, subject }) => `${asked} ${subject}`);

  test('R-058 R-075 R-140 is one approval for each user, and one for the group', () => {
    expect(asks('add', { target: dave })).toEqual(['add dave@d.test']);
    expect(asks('remove', { target: bob })).toEqual(['remove bob@b.test']);
    expect(asks('admin-set', { admins: [bob, carol, dave] })).toEqual([
      'dismiss alice@a.test',
      'appoint carol@c.test',
      'appoint dave@d.test',
    ]);
    expect(asks('reinit')).toEqual(['reinit lab@a.test']);
  });

  test('is nothing when it changes nothing, or nobody who is there', () => {
    expect(asks('admin-set', { admins: [alice, bob] })).toEqual([]);
    expect(asks('remove')).toEqual([]);
  });
});

describe('R-014 the same asked again', () => {
  const filing = (last: Approval | undefined, underWay = false, at = now) => filingOf(ask, last, underWay, at);

  test('for the first time is new', () => expect(filing(undefined)).toBe('new'));

  test.each(['open', 'approved', 'lapsed', 'fulfilled'] as const)(
    'by the same ProposalRef is known, when %s',
    (state) => expect(filing(approval({ state }))).toBe('known'),
  );

  test('in a later epoch it stays one', () => {
    expect(filing(approval({ ref: 'one', epoch: epoch(4) }))).toBe('renewed');
    expect(filing(approval({ ref: 'one', state: 'approved' }), true)).toBe('known');
  });

  test('after it came to nothing it is new', () => {
    expect(filing(approval({ ref: 'one', state: 'approved' }), false)).toBe('new');
    expect(filing(approval({ ref: 'one', state: 'lapsed' }))).toBe('new');
    expect(filing(approval({ ref: 'one', state: 'fulfilled' }))).toBe('new');
  });

  test('a decline holds, and not for ever', () => {
    const declined = approval({ ref: 'one', state: 'declined', decidedAt: now });
    expect(filing(declined, false, later(DECLINED_FOR_MS - 1))).toBe('declined');
    expect(filing(declined, false, later(DECLINED_FOR_MS))).toBe('new');
  });

  test('an ask of this server itself has no ProposalRef: it stays as it is', () => {
    const own: Ask = { kind: 'evict', subject: carol };
    const { proposer: _, ref: __, epoch: ___, ...last } = approval({ ...own });
    expect(filingOf(own, last, false, now)).toBe('known');
  });
});

describe('when the group moves on, an open approval', () => {
  const members = new Set([alice, bob, carol]);
  const standing = { here: host('a.test'), state: 'active', epoch: epoch(6), admins: [alice, bob] } as const;
  const leaves = { members, renewed: new Set<OcmAddress>() };
  const after = (one: Approval, changes: Partial<Parameters<typeof afterEpoch>[1]> = {}) =>
    afterEpoch(one, { ...standing, ...leaves, ...changes }, now);

  test.each<[ApprovalKind, OcmAddress]>([
    ['add', carol],
    ['remove', dave],
    ['evict', dave],
    ['appoint', bob],
    ['dismiss', carol],
  ])('is fulfilled when it came true: %s %s', (kind, subject) => {
    expect(after(approval({ kind, subject }))).toMatchObject({ state: 'fulfilled' });
  });

  test('D-13 waits an hour to be proposed anew', () => {
    const waiting = after(approval());
    expect(waiting).toMatchObject({ state: 'open', dueAt: later(LAPSES_AFTER_MS) });
    expect(after(waiting, { epoch: epoch(7) })).toBe(waiting);
  });

  test('stays when it was proposed in the new epoch already, or is asked by this server itself', () => {
    const renewed = approval({ epoch: epoch(6) });
    expect(after(renewed)).toBe(renewed);
    const { proposer: _, ...own } = approval({ kind: 'evict', subject: bob });
    expect(after(own)).toBe(own);
  });

  test('lapses when nobody here can decide it, or its proposer is gone', () => {
    expect(after(approval(), { admins: [bob] })).toMatchObject({ state: 'lapsed' });
    expect(after(approval(), { state: 'left' })).toMatchObject({ state: 'lapsed' });
    expect(after(approval(), { members: new Set([alice, bob]) })).toMatchObject({ state: 'lapsed' });
  });

  test('R-130 to remove a stale member lapses when the leaf was renewed after all', () => {
    const renewed = new Set([bob]);
    const { proposer: _, ...own } = approval({ kind: 'evict', subject: bob });
    expect(after(own, { renewed })).toMatchObject({ state: 'lapsed' });
    const asked = approval({ kind: 'remove', subject: bob, epoch: epoch(6) });
    expect(after(asked, { renewed })).toBe(asked);
  });
});

describe('what an approval would change', () => {
  const before = { admins: [alice, bob], members: [alice, anna, bob, carol] };
  const none = {
    joins: [],
    leaves: [],
    serversJoin: [],
    serversLeave: [],
    adminsAppointed: [],
    adminsDismissed: [],
  };

  test.each<[ApprovalKind, OcmAddress, object]>([
    ['add', dave, { joins: [dave], serversJoin: ['d.test'] }],
    ['remove', carol, { leaves: [carol], serversLeave: ['c.test'] }],
    ['evict', anna, { leaves: [anna] }],
    ['appoint', carol, { adminsAppointed: [carol] }],
    ['dismiss', bob, { adminsDismissed: [bob] }],
    ['dismiss', alice, { adminsDismissed: [alice], ownerServer: 'b.test' }],
    ['remove', alice, { leaves: [alice], adminsDismissed: [alice], ownerServer: 'b.test' }],
    ['reinit', ocmAddress('lab@a.test'), {}],
  ])('%s %s', (kind, subject, changes) => {
    expect(effectOf({ kind, subject }, before)).toEqual({ ...none, ...changes });
  });
});

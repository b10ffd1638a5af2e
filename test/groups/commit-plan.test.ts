import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change, ChangeKind } from '../../src/groups/change.js';
import { type AutomaticKind, planCommit } from '../../src/groups/commit-plan.js';
import { host, hostOf, ocmAddress, type OcmAddress } from '../../src/kernel/address.js';
import type { MlsGroupId } from '../../src/kernel/ids.js';

const here = host('a.test');
const [alice, anna, bob, carol, dave] = [
  'alice@a.test',
  'anna@a.test',
  'bob@b.test',
  'carol@c.test',
  'dave@d.test',
].map(ocmAddress) as [OcmAddress, OcmAddress, OcmAddress, OcmAddress, OcmAddress];
let count = 0;
const wish = (kind: ChangeKind, subject: OcmAddress, actor: OcmAddress = alice): Change => ({
  id: `${kind} ${subject} ${++count}`,
  mlsGroupId: 'group' as MlsGroupId,
  kind,
  subject,
  actor,
  approved: true,
  state: 'prepared',
  ...(kind === 'add' ? { keyPackage: new Uint8Array(3) } : {}),
  tries: 0,
  nextTryAt: new Date(0),
  requestedAt: new Date(0),
});
const proposed = (kind: AutomaticKind, proposer: OcmAddress) => ({ kind, proposer, proposal: new Uint8Array(1) });
const leave = (leaver: OcmAddress) => proposed('remove-self', leaver);
const plan = (admins: OcmAddress[], members: OcmAddress[], changes: Change[], leavers: OcmAddress[] = []) =>
  planCommit({ here, admins, members }, { changes, proposals: leavers.map(leave) });

describe('what was asked becomes one Commit', () => {
  test('Adds and Removes of several users go together', () => {
    const changes = [wish('add', bob), wish('add', carol), wish('remove', dave)];
    const { plan: made } = plan([alice], [alice, dave], changes);
    expect(made).toMatchObject({ committer: alice, remove: [dave], covers: changes.map(({ id }) => id) });
    expect(made!.add.map(({ address }) => address)).toEqual([bob, carol]);
    expect(made).not.toHaveProperty('admins');
  });

  test('R-065 R-078 whoever stops being a member stops being an admin in the same Commit', () => {
    expect(plan([alice, bob], [alice, bob], [wish('remove', bob)]).plan).toMatchObject({
      remove: [bob],
      admins: [alice],
    });
    expect(plan([bob, alice], [alice, bob], [], [bob]).plan).toMatchObject({ committer: alice, admins: [alice] });
  });

  test('R-070 a new admin is appended, also when others go', () => {
    const changes = [wish('remove', bob), wish('appoint', carol)];
    expect(plan([alice, bob], [alice, bob, carol], changes).plan).toMatchObject({ admins: [alice, carol] });
  });

  test('two self-removals of one member are one', () => {
    expect(plan([alice], [alice, bob], [], [bob, bob]).plan!.proposals).toEqual([leave(bob)]);
  });

  test('R-060 a self-removal is committed without anybody asking', () => {
    expect(plan([alice], [alice, bob], [], [bob]).plan).toMatchObject({
      committer: alice,
      proposals: [leave(bob)],
      covers: [],
    });
  });

  test('R-067 the committer is never one whose own leaf goes', () => {
    expect(plan([alice, bob], [alice, bob], [], [alice])).toEqual({ moot: [], refused: [] });
    expect(plan([alice, anna], [alice, anna], [], [alice]).plan).toMatchObject({ committer: anna, admins: [anna] });
  });

  test('R-063 R-064 the last admin neither leaves nor is removed nor dismissed', () => {
    expect(plan([alice], [alice, bob], [], [alice]).plan).toBeUndefined();
    const dismiss = wish('dismiss', alice);
    expect(plan([alice], [alice, bob], [dismiss]).refused).toEqual([{ id: dismiss.id, fault: 'change.last-admin' }]);
    const remove = wish('remove', bob, anna);
    expect(plan([anna, bob], [anna, bob], [wish('dismiss', anna, anna), remove]).plan).toMatchObject({ admins: [bob] });
  });

  test('R-054 what no admin of this server asked for is refused', () => {
    const foreign = wish('add', bob, anna);
    expect(plan([alice], [alice, anna], [foreign])).toMatchObject({
      refused: [{ id: foreign.id, fault: 'change.not-admin' }],
    });
  });

  test('R-066 an admin resigns by a Commit of their own that carries nothing else', () => {
    const changes = [wish('dismiss', alice), wish('add', carol)];
    const { plan: made } = plan([alice, bob], [alice, bob], changes);
    expect(made).toMatchObject({ committer: alice, add: [], admins: [bob], covers: [changes[0]!.id] });
  });

  test('what came true meanwhile is moot', () => {
    const changes = [wish('add', bob), wish('remove', carol), wish('appoint', alice), wish('dismiss', bob)];
    expect(plan([alice], [alice, bob], changes)).toEqual({ moot: changes.map(({ id }) => id), refused: [] });
  });

  test('a user is named once in a Commit: add, remove, add again takes three', () => {
    const changes = [wish('add', bob), wish('remove', bob), wish('add', bob)];
    expect(plan([alice], [alice], changes).plan!.covers).toEqual([changes[0]!.id]);
  });

  test('Updates go together, whoever asked for what; not that of the committer, nor of one whose leaf goes', () => {
    const proposals = [bob, carol, dave, alice].map((who) => proposed('update', who));
    const { plan: made } = planCommit(
      { here, admins: [alice], members: [alice, bob, carol, dave] },
      { changes: [wish('remove', carol), wish('appoint', dave)], proposals },
    );
    expect(made!.proposals.map(({ proposer }) => proposer)).toEqual([bob, dave]);
  });

  test('R-081 a rejoin pair is committed without anybody asking, and an admin stays one by it', () => {
    const rejoins = [{ address: bob, keyPackage: new Uint8Array(1) }];
    const people = { here, admins: [alice, bob], members: [alice, bob] };
    const { plan: made } = planCommit(people, { changes: [], proposals: [proposed('update', bob)], rejoins });
    expect(made).toMatchObject({ committer: alice, rejoin: rejoins, proposals: [] });
    expect(made).not.toHaveProperty('admins');
  });

  test('nobody rejoins who is no member, nor the only admin here by a Commit of their own', () => {
    const rejoins = [alice, carol].map((address) => ({ address, keyPackage: new Uint8Array(1) }));
    const people = { here, admins: [alice], members: [alice, bob] };
    expect(planCommit(people, { changes: [], proposals: [], rejoins }).plan).toBeUndefined();
  });

  test('a takeover removes the stale admins and their role; who refreshes commits even when nothing else is there', () => {
    const people = { here, admins: [bob, alice], members: [alice, bob, carol] };
    const takeover = planCommit(people, { changes: [], proposals: [], evict: [bob] });
    expect(takeover.plan).toMatchObject({ committer: alice, remove: [bob], admins: [alice] });
    const both = { here, admins: [alice, anna], members: [alice, anna] };
    expect(planCommit(both, { changes: [], proposals: [], refresh: [anna] }).plan).toMatchObject({
      committer: anna,
      covers: [],
    });
  });

  test('whatever is asked, an admin who is a member remains, nobody is reordered and the committer stays', () => {
    const people = [alice, anna, bob, carol, dave];
    const person = fc.constantFrom(...people);
    const kind = fc.constantFrom<ChangeKind>('add', 'remove', 'appoint', 'dismiss');
    fc.assert(
      fc.property(
        fc.uniqueArray(person, { minLength: 1 }),
        fc.nat(),
        fc.array(fc.tuple(kind, person, person), { maxLength: 8 }),
        fc.uniqueArray(person, { maxLength: 3 }),
        (members, cut, wishes, leavers) => {
          const admins = members.slice(0, 1 + (cut % members.length));
          const changes = wishes.map(([k, subject, actor]) => wish(k, subject, actor));
          const { plan: made } = plan(admins, members, changes, leavers);
          if (!made) return;
          const gone = new Set([...made.remove, ...made.proposals.map(({ proposer }) => proposer)]);
          const after = new Set([...members.filter((m) => !gone.has(m)), ...made.add.map(({ address }) => address)]);
          const next = made.admins ?? admins;
          expect(next.length).toBeGreaterThan(0);
          expect(next.every((admin) => after.has(admin))).toBe(true);
          const kept = next.filter((admin) => admins.includes(admin));
          expect(kept).toEqual(admins.filter((admin) => kept.includes(admin)));
          expect(next.slice(0, kept.length)).toEqual(kept);
          expect(admins).toContain(made.committer);
          expect(gone.has(made.committer)).toBe(false);
          expect(hostOf(made.committer)).toBe(here);
        },
      ),
    );
  });
});

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MOST_OF_A_PROPOSER, MOST_OF_A_SERVER } from '../../src/groups/approval.js';
import { ApprovalQueue } from '../../src/groups/approval-queue.service.js';
import { MOST_PROPOSED } from '../../src/groups/change.js';
import { GroupRepository } from '../../src/groups/group.repository.js';
import { ocmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import type { Person } from '../support/cast.js';
import { World } from '../support/world.js';

/** alice and anna are admins, albert and amy are members; all of them on one server. */
let world: World;
let [alice, anna, albert, amy, arthur]: Person[] = [];
let lab: string;
let count = 0;

beforeAll(async () => {
  world = await World.of('a.test');
  [alice, anna, albert, amy, arthur] = await world.users(
    'alice@a.test',
    'anna@a.test',
    'albert@a.test',
    'amy@a.test',
    'arthur@a.test',
  );
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  lab = await alice!.createGroup(`lab-${++count}`, [anna!, albert!, amy!]);
  await alice!.appoint(lab, anna!);
  await world.settle();
});

const inbox = async (admin: Person, state: 'open' | 'lapsed' | 'fulfilled' | 'declined' = 'open') =>
  (await admin.approvals(state)).filter(({ group }) => group === lab);
const api = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
  world.server('a.test').api(method, path, body);
/** Another Commit that has nothing to do with it. */
const goOn = async () => {
  await alice!.dismiss(lab, anna!);
  await world.settle();
  await alice!.appoint(lab, anna!);
  await world.settle();
};

test('R-014 each admin sees what is asked, by whom, since when, and what it would change', async () => {
  await albert!.add(lab, arthur!);
  await world.settle();
  const [asked] = await inbox(alice!);
  expect(asked).toMatchObject({
    group: lab,
    kind: 'add',
    subject: 'arthur@a.test',
    proposer: 'albert@a.test',
    state: 'open',
    requestedAt: world.clock.now().toISOString(),
    lapsesAt: null,
    effect: { joins: ['arthur@a.test'], leaves: [], serversJoin: [], adminsAppointed: [], ownerServer: null },
  });
  expect(await inbox(anna!)).toEqual([asked]);
  expect(await inbox(albert!)).toEqual([]);
  expect((await api('GET', `/approvals/${asked!.id}`)).body).toEqual(asked);
  expect(await api('GET', '/approvals?admin=bob@b.test')).toMatchObject({
    status: 403,
    body: { code: 'change.not-local' },
  });
  expect(await api('GET', '/approvals?admin=alice@a.test&state=other')).toMatchObject({ status: 400 });
  expect(await api('GET', '/approvals')).toMatchObject({ status: 400 });
});

test('R-058 the first admin decides, the second is told so; nobody else may', async () => {
  await albert!.remove(lab, amy!);
  await world.settle();
  const [asked] = await inbox(alice!);
  await expect(albert!.approve(asked!)).rejects.toThrow('change.not-admin');
  expect(await api('POST', `/approvals/${asked!.id}/approve`, { by: 'bob@b.test' })).toMatchObject({ status: 403 });
  expect(await api('POST', `/approvals/${asked!.id}/decline`, { by: 'alice@a.test' })).toMatchObject({ status: 400 });
  const outcomes = await Promise.allSettled([alice!.approve(asked!), anna!.approve(asked!), anna!.decline(asked!)]);
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ answer: { status: 409 } });
  }
  await world.settle();
  // Who was first is the database's choice; whatever it was, it holds.
  const isDeclined = outcomes[2].status === 'fulfilled';
  const stays = isDeclined ? ['amy@a.test'] : [];
  expect(await alice!.members(lab)).toEqual(['albert@a.test', 'alice@a.test', ...stays, 'anna@a.test']);
  const { body } = await api('GET', `/groups/${encodeURIComponent(lab)}/changes`);
  expect((body as { changes: { kind: string }[] }).changes.filter(({ kind }) => kind === 'remove')).toHaveLength(
    isDeclined ? 1 : 2, // what Albert asked, and what an admin's approval made of it
  );
  expect(
    await api('POST', '/approvals/3f0d6a1e-7f53-4b3e-9a4e-0c6f1d2b7a90/approve', { by: 'alice@a.test' }),
  ).toMatchObject({
    status: 404,
  });
});

test('R-075 who is to become or to stay an admin is decided by one', async () => {
  await albert!.appoint(lab, albert!);
  await albert!.dismiss(lab, alice!);
  await world.settle();
  const [appoint, dismiss] = await inbox(anna!);
  expect(dismiss).toMatchObject({ kind: 'dismiss', effect: { adminsDismissed: ['alice@a.test'] } });
  await anna!.approve(dismiss!);
  await anna!.approve(appoint!);
  await world.settle();
  expect((await anna!.sees(lab)).admins).toEqual(['anna@a.test', 'albert@a.test']);
});

test('R-067 an admin does not approve the end of their own membership: another does', async () => {
  await albert!.remove(lab, alice!);
  await world.settle();
  const [asked] = await inbox(alice!);
  await expect(alice!.approve(asked!)).rejects.toThrow('change.own-leaf');
  expect(await inbox(alice!)).toHaveLength(1);
  await anna!.approve(asked!);
  await world.settle();
  expect(await anna!.members(lab)).not.toContain('alice@a.test');
});

test('a decline says why, ends the change at once, and holds when the same is asked again', async () => {
  const change = await albert!.remove(lab, amy!);
  await world.settle();
  const [asked] = await inbox(alice!);
  expect(await alice!.decline(asked!, 'Amy has just come.')).toMatchObject({
    state: 'declined',
    decidedBy: 'alice@a.test',
    decidedAt: world.clock.now().toISOString(),
    reason: 'Amy has just come.',
    effect: null,
  });
  expect(await albert!.change(change)).toMatchObject({ state: 'refused', code: 'change.declined' });
  const again = await albert!.remove(lab, amy!);
  await world.settle();
  expect(await albert!.change(again)).toMatchObject({ state: 'refused', code: 'change.declined' });
  expect(await inbox(alice!)).toEqual([]);
  await amy!.remove(lab, albert!);
  await world.settle();
  expect(await inbox(alice!)).toMatchObject([{ subject: 'albert@a.test', proposer: 'amy@a.test' }]);
});

test('D-13 what is proposed is withdrawn by who asked, or given up after 30 days', async () => {
  const [withdrawn, expired] = [await albert!.remove(lab, amy!), await albert!.appoint(lab, albert!)];
  await world.settle();
  expect(await inbox(alice!)).toHaveLength(2);
  expect(await albert!.withdraw(withdrawn)).toMatchObject({ state: 'withdrawn' });
  expect(await albert!.withdraw(withdrawn)).toMatchObject({ state: 'withdrawn' });
  expect(await inbox(alice!)).toMatchObject([{ kind: 'appoint' }]);
  await world.pass(29 * 86_400_000);
  expect(await albert!.change(expired)).toMatchObject({ state: 'proposed' });
  await world.pass(2 * 86_400_000);
  expect(await albert!.change(expired)).toMatchObject({ state: 'refused', code: 'change.expired' });
  await expect(albert!.withdraw(expired)).rejects.toThrow('change.settled');
});

test('D-13 through every Commit one approval stays open, and what came true by another hand is fulfilled', async () => {
  const change = await albert!.remove(lab, amy!);
  await world.settle();
  const [asked] = await inbox(alice!);
  await goOn();
  await world.pass(2 * 3_600_000);
  expect(await inbox(alice!)).toMatchObject([{ id: asked!.id, lapsesAt: null }]);
  await anna!.remove(lab, amy!);
  await world.settle();
  expect(await inbox(alice!, 'fulfilled')).toMatchObject([{ id: asked!.id }]);
  expect(await albert!.change(change)).toMatchObject({ state: 'done' });
});

test('who has become an admin may approve what they had proposed', async () => {
  const change = await albert!.add(lab, arthur!);
  await world.settle();
  await alice!.appoint(lab, albert!);
  await world.settle();
  const [asked] = await inbox(albert!);
  await albert!.approve(asked!);
  await world.settle();
  expect(await albert!.change(change)).toMatchObject({ state: 'done' });
  expect(await alice!.members(lab)).toContain('arthur@a.test');
});

test('a member may propose so much at a time, and others go on', async () => {
  const wishes = Array.from({ length: MOST_PROPOSED }, (_, index) => `user-${index}@nowhere.test`);
  for (const user of wishes) await albert!.add(lab, user);
  expect(
    await api('POST', `/groups/${encodeURIComponent(lab)}/members`, {
      address: 'one-more@nowhere.test',
      by: 'albert@a.test',
    }),
  ).toMatchObject({
    status: 429,
    body: { code: 'approval.flood' },
  });
  await amy!.remove(lab, albert!);
  expect(await alice!.remove(lab, albert!)).toMatchObject({ state: 'prepared' });
  await world.settle();
});

test('R-014 a flood of one member or one server is bounded, and delays neither others nor what is renewed', async () => {
  const { mlsGroupId } = await alice!.sees(lab);
  const server = world.server('a.test');
  const [db, groups, queue] = [server.get(TransactionService), server.get(GroupRepository), server.get(ApprovalQueue)];
  const ask = (proposer: string, subject: string, ref = subject) =>
    db.run(async (tx) => {
      const group = (await groups.lock(tx, mlsGroupId as MlsGroupId))!;
      const asked = {
        kind: 'add',
        subject: ocmAddress(subject),
        proposer: ocmAddress(proposer),
        ref,
        epoch: epoch(9),
      } as const;
      return queue.propose(tx, group, [asked]);
    });
  for (let index = 0; index < MOST_OF_A_PROPOSER; index++) await ask('eve@b.test', `user-${index}@c.test`);
  await expect(ask('eve@b.test', 'more@c.test')).rejects.toThrow('proposal.flood');
  await ask('eve@b.test', 'user-0@c.test', 'another');
  for (let index = 0; index < MOST_OF_A_SERVER - MOST_OF_A_PROPOSER; index++) {
    await ask(`eve-${index}@b.test`, 'mallory@b.test');
  }
  await expect(ask('bob@b.test', 'more@c.test')).rejects.toThrow('proposal.flood');
  await ask('carol@c.test', 'more@c.test');
  expect(await inbox(alice!)).toHaveLength(MOST_OF_A_SERVER + 1);
});

test('R-225 a group with one admin is warned about', async () => {
  expect((await alice!.sees(lab)).warnings).toEqual([]);
  await anna!.resign(lab);
  await world.settle();
  expect((await alice!.sees(lab)).warnings).toEqual(['single-admin']);
});

test('a change is withdrawn as long as nothing of it is on its way', async () => {
  const asked = await alice!.add(lab, 'nobody@nowhere.test');
  expect(await alice!.withdraw(asked)).toMatchObject({ state: 'withdrawn' });
  const done = await alice!.remove(lab, amy!);
  await world.settle();
  await expect(alice!.withdraw(done)).rejects.toThrow('change.settled');
  expect(await api('DELETE', '/changes/3f0d6a1e-7f53-4b3e-9a4e-0c6f1d2b7a90')).toMatchObject({ status: 404 });
});

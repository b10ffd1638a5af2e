import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { outcomesOn, rewritten } from '../third-parties/outcomes-page.js';
import { type Answer, LibraryClient } from './library-client.js';
import { FEDERATED, membersIn, type Method, pendingIn, ScimClient } from './scim-client.js';

const PAGE = 'docs/scim.md';
const HEADING = 'Requests and answers';
const [USER, GROUP] = ['User', 'Group'].map((name) => `urn:ietf:params:scim:schemas:core:2.0:${name}`);
const FEDERATED_USER = 'urn:covey:params:scim:schemas:extension:User:2.0';
const LAB = '/Groups/lab@a.test';
const ANNA = '/Users/anna@a.test';
const BY_ALICE = { 'covey-by': 'alice@a.test' };

let world: World;
let [alice, bob]: [Person, Person] = [] as never;
const http = new ScimClient(() => world);
const client = new LibraryClient(http);
const seen: { token: string; outcomes: string[] }[] = [];

beforeAll(async () => {
  world = await World.of('a.test', 'b.test');
  [alice, bob] = await world.users('alice@a.test', 'bob@b.test', 'ben@b.test');
  await alice.createGroup('lab', [bob]);
  await client.discover();
});
afterAll(() => world[Symbol.asyncDispose]());

/** A line of the page. What is behind a colon is said of the request, not sent. */
async function ask(said: string, body?: object | readonly object[], headers: object = {}): Promise<Answer> {
  const [, method, path] = /^(\w+) ([^\s:]+)/.exec(said) as unknown as [string, Method, string];
  const answer = Array.isArray(body)
    ? await client.patch(path, body as object[], headers)
    : await client.send(method, path, body, headers);
  seen.push({
    token: said.replaceAll('|', '/'),
    outcomes: [String(answer.status), (answer.body?.['scimType'] as string | undefined) ?? ''],
  });
  return answer;
}
const user = (name: string, more: object = {}) => ({ schemas: [USER], userName: `${name}@a.test`, ...more });
const acts = async () => {
  const sql = 'SELECT act, subject FROM audit_log ORDER BY number';
  const rows = await world.server('a.test').query<{ act: string; subject: string }>(sql);
  return rows.map(({ act, subject }) => `${act} ${subject}`);
};

test('users are made known, renamed, made inactive and active, and forgotten', async () => {
  const made = await ask(
    'POST /Users: anna, with more than is kept',
    user('anna', { displayName: 'Anna', name: { givenName: 'Anna' }, externalId: '7' }),
  );
  expect(made.body).toMatchObject({ id: 'anna@a.test', displayName: 'Anna', active: true });
  expect(made.etag).toBe((made.body['meta'] as { version: string }).version);
  await ask('POST /Users: anna again', user('anna'));
  await ask('POST /Users: ANNA', user('ANNA'));
  await ask('POST /Users: of another domain', { schemas: [USER], userName: 'eve@b.test' });
  await ask('POST /Users: no address', { schemas: [USER], userName: 'eve' });
  await ask('POST /Users: no userName', { schemas: [USER] });
  await ask('POST /Users: no schemas', { userName: 'eve@a.test' });
  const first = await ask(
    `PUT ${ANNA}: displayName, If-Match`,
    user('anna', { displayName: 'Anna A.', groups: [], active: true }),
    { 'if-match': made.etag },
  );
  expect(first.body['displayName']).toBe('Anna A.');
  await ask(`PUT ${ANNA}: If-Match of before`, user('anna', { displayName: 'Late' }), { 'if-match': made.etag });
  await ask(`PUT ${ANNA}: another userName`, user('eve'));
  await ask('PUT /Users/nobody@a.test', user('nobody'));
  const renamed = await ask(`PATCH ${ANNA}: replace displayName, by "Replace"`, [
    { op: 'Replace', path: 'displayName', value: 'Anna' },
  ]);
  expect(renamed.body).toEqual({
    ...client.foresee(first.body, [{ op: 'replace', path: 'displayName', value: 'Anna' }]),
    meta: renamed.body['meta'],
  });
  await ask(`PATCH ${ANNA}: replace userName`, [{ op: 'replace', path: 'userName', value: 'eve@a.test' }]);
  await ask(`PATCH ${ANNA}: replace name.givenName`, [{ op: 'replace', path: 'name.givenName', value: 'Eve' }]);
  await ask(`PATCH ${ANNA}: remove without a path`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'remove' }],
  });
  await ask(`PATCH ${ANNA}: one of two operations is wrong`, [
    { op: 'replace', path: 'displayName', value: 'Half' },
    { op: 'replace', path: 'active', value: 'maybe' },
  ]);
  const off = await ask(`PATCH ${ANNA}?attributes=active: active "False"`, [
    { op: 'replace', path: 'active', value: 'False' },
  ]);
  expect(off.body).toEqual({ schemas: [USER], id: 'anna@a.test', active: false });
  await ask(
    'POST /Groups: founded by anna, who is not active',
    { schemas: [GROUP], displayName: 'annas' },
    { 'covey-by': 'anna@a.test' },
  );
  expect((await alice.add(await alice.createGroup('club'), 'anna@a.test')).state).toBe('requested');
  await world.settle();
  expect(await alice.members('club@a.test')).toEqual(['alice@a.test']);
  await ask(`GET /Users?filter=active%20eq%20false`);
  await ask(`PATCH ${ANNA}: active`, [{ op: 'replace', value: { active: true } }]);
  await alice.add('club@a.test', 'anna@a.test');
  await world.settle();
  expect(await alice.members('club@a.test')).toEqual(['alice@a.test', 'anna@a.test']);
  await ask('POST /Users: ann, once for an Idempotency-Key', user('ann'), { 'idempotency-key': 'k1' });
  await ask('POST /Users: the same once more', user('ann'), { 'idempotency-key': 'k1' });
  await ask('DELETE /Users/ann@a.test');
  await ask('DELETE /Users/ann@a.test: once more');
  expect((await acts()).filter((act) => /^user\..* ann/.test(act))).toEqual([
    'user.made anna@a.test',
    'user.renamed anna@a.test',
    'user.renamed anna@a.test',
    'user.deactivated anna@a.test',
    'user.activated anna@a.test',
    'user.made ann@a.test',
    'user.removed ann@a.test',
  ]);
});

test('what is asked of members and admins is pending until a Commit brings it', async () => {
  const add = [{ op: 'Add', path: 'members', value: [{ value: 'ben@b.test' }, { value: 'anna@a.test' }] }];
  await ask(`PATCH ${LAB}: add ben and anna, in nobody's name`, add);
  await ask(`PATCH ${LAB}: in the name of bob, who is of b.test`, add, { 'covey-by': 'bob@b.test' });
  await ask(`PATCH ${LAB}: in the name of anna, who is no member`, add, { 'covey-by': 'anna@a.test' });
  const before = await client.send('GET', LAB);
  const asked = await ask(`PATCH ${LAB}: add ben and anna, in the name of alice`, add, {
    ...BY_ALICE,
    'if-match': before.etag,
  });
  expect(membersIn(asked)).toEqual(['alice@a.test', 'bob@b.test']);
  expect(pendingIn(asked)).toEqual(['add ben@b.test alice@a.test requested', 'add anna@a.test alice@a.test requested']);
  await ask(`PATCH ${LAB}: If-Match of before that`, add, { ...BY_ALICE, 'if-match': before.etag });
  expect(pendingIn(await ask(`PATCH ${LAB}: add ben and anna again`, add, BY_ALICE))).toHaveLength(2);
  const put = { schemas: [GROUP, FEDERATED], displayName: 'lab@a.test', members: before.body['members'] };
  expect(pendingIn(await ask(`PUT ${LAB}: as it was read before`, put, BY_ALICE))).toHaveLength(2);
  const back = await ask(
    `PATCH ${LAB}: remove anna, who is not a member yet`,
    [{ op: 'remove', path: 'members[value eq "anna@a.test"]' }],
    BY_ALICE,
  );
  expect(pendingIn(back)).toEqual(['add ben@b.test alice@a.test requested']);
  await world.settle();
  const after = await ask(`GET ${LAB}`);
  expect([membersIn(after).sort(), pendingIn(after)]).toEqual([
    (
      client.foresee(before.body, [{ op: 'add', path: 'members', value: [{ value: 'ben@b.test' }] }])['members'] as {
        value: string;
      }[]
    )
      .map(({ value }) => value)
      .sort(),
    [],
  ]);
  await ask(`PATCH ${LAB}: add ben, who is a member`, [{ op: 'add', path: 'members', value: { value: 'ben@b.test' } }]);
  await ask(
    `PATCH ${LAB}: replace a member who is not there`,
    [{ op: 'replace', path: 'members[value eq "eve@b.test"]', value: { value: 'ben@b.test' } }],
    BY_ALICE,
  );
  await ask(`PATCH ${LAB}: replace displayName`, [{ op: 'replace', path: 'displayName', value: 'other' }], BY_ALICE);
  await ask(`PATCH ${LAB}: replace colour`, [{ op: 'replace', path: 'colour', value: 'red' }], BY_ALICE);
  await ask(`PATCH ${LAB}: a filter that is none`, [{ op: 'remove', path: 'members[value eq ]' }], BY_ALICE);
  await ask(
    `PATCH ${LAB}: 101 operations`,
    Array.from({ length: 101 }, () => ({ op: 'remove', path: 'members' })),
    BY_ALICE,
  );
  await ask(`PATCH ${LAB}: no operations`, { schemas: [GROUP] }, BY_ALICE);
  await ask(`PATCH ${LAB}: remove all members`, [{ op: 'remove', path: 'members' }], BY_ALICE);
  expect(pendingIn(await client.send('GET', LAB))).toEqual([]);
  const appoint = await ask(
    `PATCH ${LAB}: add bob to admins of the extension`,
    [{ op: 'add', path: `${FEDERATED}:admins`, value: ['bob@b.test'] }],
    BY_ALICE,
  );
  expect(pendingIn(appoint)).toEqual(['appoint bob@b.test alice@a.test prepared']);
  await world.settle();
  const removed = await ask(
    `PATCH ${LAB}?excludedAttributes=members: remove ben, by "Remove" with a value`,
    [{ op: 'Remove', path: 'members', value: [{ value: 'ben@b.test' }] }],
    BY_ALICE,
  );
  expect(removed.body).not.toHaveProperty('members');
  await world.settle();
  expect((await bob.sees('lab@a.test')).admins).toEqual(['alice@a.test', 'bob@b.test']);
  expect(await bob.members('lab@a.test')).toEqual(['alice@a.test', 'bob@b.test']);
  await ask(`DELETE ${LAB}`);
  await ask('PATCH /Groups/nothing@a.test', add, BY_ALICE);
  expect((await acts()).filter((act) => act.startsWith('wish.refused'))).toEqual([
    'wish.refused ben@b.test',
    'wish.refused alice@a.test',
  ]);
});

test('what another than an admin asks is proposed; a group is founded', async () => {
  const found = {
    schemas: [GROUP, FEDERATED],
    displayName: 'choir',
    members: [{ value: 'anna@a.test' }, { value: 'bob@b.test' }],
  };
  await ask("POST /Groups: choir, in nobody's name", found);
  await ask('POST /Groups: choir, two admins', { ...found, [FEDERATED]: { admins: ['alice@a.test', 'anna@a.test'] } });
  const made = await ask('POST /Groups: choir, alice in the admins of the extension', {
    ...found,
    [FEDERATED]: { admins: ['alice@a.test'] },
  });
  expect([made.body['id'], membersIn(made)]).toEqual(['choir@a.test', ['alice@a.test']]);
  expect(pendingIn(made)).toEqual(['add anna@a.test alice@a.test requested', 'add bob@b.test alice@a.test requested']);
  await ask('POST /Groups: CHOIR@a.test', { ...found, displayName: 'CHOIR@a.test' }, BY_ALICE);
  await ask('POST /Groups: of another domain', { ...found, displayName: 'choir@b.test' }, BY_ALICE);
  await world.settle();
  const add = [{ op: 'add', path: 'members', value: [{ value: 'ben@b.test' }] }];
  const byAnna = { 'covey-by': 'anna@a.test' };
  await ask('PATCH /Groups/choir@a.test: add ben, in the name of anna', add, byAnna);
  await world.settle();
  expect(pendingIn(await client.send('GET', '/Groups/choir@a.test'))).toEqual(['add ben@b.test anna@a.test proposed']);
  expect(await alice.approvals()).toMatchObject([
    { group: 'choir@a.test', kind: 'add', subject: 'ben@b.test', proposer: 'anna@a.test' },
  ]);
  const leave = await ask(
    'PATCH /Groups/choir@a.test: remove anna, in the name of anna',
    [{ op: 'remove', path: 'members[value eq "anna@a.test"]' }],
    byAnna,
  );
  expect(pendingIn(leave)[1]).toBe('leave anna@a.test anna@a.test prepared');
  await world.settle();
  expect(await bob.members('choir@a.test')).toEqual(['alice@a.test', 'bob@b.test']);
});

test('what a client calls users and groups is kept for it, and finds them', async () => {
  const CARL = '/Users/carl@a.test';
  const made = await ask('POST /Users: carl, with an externalId', user('carl', { externalId: 'Carl-1' }));
  expect(made.body['externalId']).toBe('Carl-1');
  expect(await http.found('Users', 'externalId eq "Carl-1"')).toEqual(['carl@a.test']);
  expect(await http.found('Users', 'externalId eq "carl-1" or externalId eq "7"')).toEqual(['anna@a.test']);
  const named = (value: string) => [{ op: 'replace', path: 'externalId', value }];
  const called = await ask(`PATCH ${CARL}: externalId`, named('Carl-2'));
  expect(called.etag).not.toBe(made.etag);
  expect((await ask(`PUT ${CARL}: no externalId, so it stays`, user('carl'))).body['externalId']).toBe('Carl-2');
  await ask(`PATCH ${CARL}: an externalId of 513 characters`, named('x'.repeat(513)));
  await ask(`PATCH ${LAB}: externalId, in nobody's name`, [{ op: 'add', value: { externalId: 'Carl-2' } }]);
  expect(await http.found('Groups', 'externalId eq "Carl-2"')).toEqual(['lab@a.test']);
  await ask(`PATCH ${LAB}: remove externalId`, [{ op: 'remove', path: 'externalId' }]);
  expect(await http.found('Groups', 'externalId pr')).toEqual([]);

  // By whatever way a user is forgotten, that is forgotten too.
  const a = world.server('a.test');
  expect((await a.api('DELETE', '/users/carl%40a.test')).status).toBe(204);
  await world.users('carl@a.test');
  expect((await client.send('GET', CARL)).body).not.toHaveProperty('externalId');
});

test('more than 500 changes at once are refused, all of them', async () => {
  const many = Array.from({ length: 501 }, (_, index) => ({ value: `u${index}@b.test` }));
  const answer = await client.patch(LAB, [{ op: 'add', path: 'members', value: many }], BY_ALICE);
  expect([answer.status, answer.body['scimType']]).toEqual([400, 'tooMany']);
  expect(pendingIn(await client.send('GET', LAB))).toEqual([]);
});

test('who is inactive or gone leaves all groups; the last admin waits', async () => {
  const last = await ask('DELETE /Users/alice@a.test: the last admin of choir');
  expect(last.body['detail']).toContain('choir@a.test');
  expect(await alice.members('lab@a.test')).toContain('alice@a.test');
  const off = await ask('PATCH /Users/alice@a.test: active false', [{ op: 'replace', path: 'active', value: false }]);
  expect(pendingIn(off, FEDERATED_USER)).toEqual(
    ['choir', 'club', 'lab'].map(() => 'leave alice@a.test alice@a.test prepared'),
  );
  await world.settle();
  expect(await bob.members('lab@a.test')).toEqual(['bob@b.test']);
  expect(await bob.members('choir@a.test')).toContain('alice@a.test');
  const on = await ask('PATCH /Users/alice@a.test: active true', [{ op: 'replace', path: 'active', value: true }]);
  expect([on.body['active'], pendingIn(on, FEDERATED_USER)]).toEqual([true, []]);
  await ask('PATCH /Users/alice@a.test: active false once more', [{ op: 'replace', path: 'active', value: false }]);
  await alice.appoint('choir@a.test', bob);
  await alice.appoint('club@a.test', 'anna@a.test');
  await world.pass(180_000);
  expect(await bob.members('choir@a.test')).toEqual(['bob@b.test']);
  expect((await client.send('GET', '/Users/alice@a.test')).body).toMatchObject({ active: false, groups: [] });
  await ask('DELETE /Users/alice@a.test: who has left all groups');
});

test('an invitation of before takes in who is inactive by now, and out again', async () => {
  const late = await bob.createGroup('late');
  world.wire('b.test', 'a.test').delayNext(60_000, 'MLS_WELCOME');
  await bob.add(late, 'anna@a.test');
  await world.settle();
  expect(await bob.members(late)).toContain('anna@a.test');
  await client.patch(ANNA, [{ op: 'replace', path: 'active', value: false }]);
  await world.pass(180_000);
  expect(await acts()).toContain('group.joined anna@a.test');
  expect(await bob.members(late)).toEqual(['bob@b.test']);
});

test('the page says what was seen', () => {
  const parties = ['Status', 'scimType'];
  if (process.env['COVEY_WRITE_SCIM'])
    writeFileSync(PAGE, rewritten(readFileSync(PAGE, 'utf8'), HEADING, { parties, rows: seen }));
  expect(outcomesOn(readFileSync(PAGE, 'utf8'), HEADING)).toEqual({ parties, rows: seen });
});

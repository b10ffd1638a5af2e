import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { ERROR, FEDERATED, ScimClient } from './scim-client.js';

let world: World;
const scim = new ScimClient(() => world);
let [alice, bob, ben]: Person[] = [];

beforeAll(async () => {
  world = await World.of('a.test', 'b.test');
  [alice, bob, ben] = await world.users('alice@a.test', 'bob@b.test', 'ben@b.test');
  await world.users('Anna@a.test');
  await world.server('a.test').api('PUT', '/users/Anna%40a.test', { displayName: 'Anna Änderung' });
  await alice.createGroup('lab', [bob]);
  await alice.createGroup('choir');
});
afterAll(() => world[Symbol.asyncDispose]());

describe('resources', () => {
  test('a group with its members on all servers, and what is special about it', async () => {
    const { status, type, body, headers } = await scim.get('/Groups/lab%40a.test');
    expect([status, type]).toEqual([200, 'application/scim+json']);
    expect(body).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group', FEDERATED],
      id: 'lab@a.test',
      displayName: 'lab@a.test',
      members: [
        {
          value: 'alice@a.test',
          $ref: 'https://a.test/scim/v2/Users/alice%40a.test',
          type: 'User',
          display: 'alice@a.test',
        },
        { value: 'bob@b.test', type: 'User', display: 'bob@b.test' },
      ],
      [FEDERATED]: {
        mlsGroupId: expect.stringMatching(/^[\w-]{20,}$/) as unknown,
        epoch: 1,
        state: 'active',
        ownerServer: 'a.test',
        admins: ['alice@a.test'],
        pending: [],
      },
      meta: {
        resourceType: 'Group',
        location: 'https://a.test/scim/v2/Groups/lab%40a.test',
        version: expect.stringMatching(/^W\/"1\.[\w-]{16}"$/) as unknown,
      },
    });
    expect(headers['etag']).toBe((body['meta'] as { version: string }).version);
  });

  test('a user with the groups', async () => {
    expect((await scim.get('/Users/alice%40a.test')).body).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      id: 'alice@a.test',
      userName: 'alice@a.test',
      displayName: 'alice@a.test',
      active: true,
      groups: ['choir@a.test', 'lab@a.test'].map((value) => ({
        value,
        $ref: `https://a.test/scim/v2/Groups/${encodeURIComponent(value)}`,
        display: value,
        type: 'direct',
      })),
      meta: {
        resourceType: 'User',
        created: expect.stringMatching(/Z$/) as unknown,
        location: 'https://a.test/scim/v2/Users/alice%40a.test',
        version: expect.stringMatching(/^W\/"/) as unknown,
      },
    });
  });

  test.each([
    ['/Users/bob%40b.test', 'another domain'],
    ['/Users/nobody%40a.test', 'nobody'],
    ['/Users/nonsense', 'no address'],
    ['/Users/ALICE%40a.test', 'another case'],
    ['/Groups/other%40a.test', 'no such group'],
    ['/Groups/alice%40a.test', 'a user'],
    ['/Groups/.search', 'a search by GET'],
    ['/Nonsense', 'no such type'],
    ['/Groups/lab%40a.test/members', 'nothing below a group'],
  ])('%s is not found: %s', async (path) => {
    const { status, type, body } = await scim.get(path);
    expect([status, type]).toEqual([404, 'application/scim+json']);
    expect(body).toEqual({ schemas: [ERROR], status: '404', detail: expect.any(String) as unknown });
  });
});

describe('filters', () => {
  test.each([
    ['displayName eq "LAB@a.test"', ['lab@a.test']],
    ['id eq "lab@a.test"', ['lab@a.test']],
    ['id eq "LAB@a.test"', []],
    ['members.value eq "bob@b.test"', ['lab@a.test']],
    ['members[value eq "alice@a.test"] and displayName sw "ch"', ['choir@a.test']],
    ['members.value eq "nobody@a.test"', []],
    ['externalId eq "1"', []],
    [
      'id eq "lab@a.test" or members.value eq "alice@a.test" and displayName eq "choir@a.test"',
      ['choir@a.test', 'lab@a.test'],
    ],
    ['not (members.value eq "bob@b.test")', ['choir@a.test']],
    [`${FEDERATED}:epoch lt 1`, ['choir@a.test']],
  ])('of groups: %s', async (filter, ids) => expect(await scim.found('Groups', filter)).toEqual(ids));

  test.each([
    ['userName eq "anna@A.test"', ['Anna@a.test']],
    ['displayName eq "ANNA Änderung"', ['Anna@a.test']],
    ['displayName eq "anna änderung"', []],
    ['id eq "bob@b.test"', []],
    ['groups.value eq "lab@a.test"', ['alice@a.test']],
    ['groups pr', ['alice@a.test']],
    ['externalId eq "1"', []],
    ['active eq true and not (groups pr)', ['Anna@a.test']],
  ])('of users: %s', async (filter, ids) => expect(await scim.found('Users', filter)).toEqual(ids));

  test.each([
    ['filter=displayName', 'invalidFilter'],
    ['filter=', 'invalidFilter'],
    ['filter=color%20eq%20%22x%22', 'invalidFilter'],
    [`filter=${encodeURIComponent(`${'('.repeat(5000)}id pr`)}`, 'invalidFilter'],
    [`filter=${encodeURIComponent(Array.from({ length: 500 }, () => 'id pr').join(' or '))}`, 'invalidFilter'],
    ['filter=id%20pr&filter=id%20pr', 'invalidValue'],
    ['sortBy=color', 'invalidValue'],
    ['sortBy=..', 'invalidValue'],
    ['sortOrder=upwards', 'invalidValue'],
    ['startIndex=x', 'invalidValue'],
    ['count=1.5', 'invalidValue'],
  ])('%.60s is %s', async (query, scimType) => {
    for (const type of ['Users', 'Groups']) {
      const { status, body } = await scim.get(`/${type}?${query}`);
      expect(status).toBe(400);
      expect(body).toEqual({ schemas: [ERROR], status: '400', scimType, detail: expect.any(String) as unknown });
    }
  });
});

test('what has not changed is 304, and after a Commit it has', async () => {
  const paths = [
    '/Groups/lab%40a.test',
    '/Groups',
    '/Groups?filter=id%20eq%20%22lab%40a.test%22',
    '/Users/ben%40b.test',
    '/Users',
  ];
  const tags: string[] = [];
  for (const path of paths) {
    const tag = String((await scim.get(path, 'b.test')).headers['etag']);
    expect(tag).toMatch(/^W\/"/);
    const again = await scim.get(path, 'b.test', { 'if-none-match': tag });
    expect([again.status, again.body, again.headers['etag']]).toEqual([304, undefined, tag]);
    tags.push(tag);
  }
  await alice!.add('lab@a.test', ben!);
  await world.settle();
  for (const [index, path] of paths.entries()) {
    expect((await scim.get(path, 'b.test', { 'if-none-match': tags[index] })).status).toBe(200);
  }
  expect((await scim.get('/Groups/lab%40a.test', 'b.test')).headers['etag']).toMatch(/^W\/"2\./);
});

test('a group that was left is gone from everywhere', async () => {
  const two = await alice!.createGroup('two', [bob!]);
  expect(await scim.found('Groups', `id eq "${two}"`, 'b.test')).toEqual([two]);
  await alice!.remove(two, bob!);
  await world.settle();
  expect((await scim.get('/Groups/two%40a.test', 'b.test')).status).toBe(404);
  expect(await scim.found('Groups', `id eq "${two}" or displayName eq "${two}"`, 'b.test')).toEqual([]);
  expect((await scim.list('/Groups', 'b.test')).Resources.map(({ id }) => id)).toEqual(['lab@a.test']);
  expect((await scim.list('/Groups?count=9', 'b.test')).totalResults).toBe(1);
  expect((await scim.get('/Users/bob%40b.test', 'b.test')).body['groups']).toMatchObject([{ value: 'lab@a.test' }]);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { World } from '../support/world.js';
import { ERROR, FEDERATED, type List, type Method, ScimClient, SEARCH } from './scim-client.js';

let world: World;
const scim = new ScimClient(() => world);

beforeAll(async () => {
  world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test', 'Anna@a.test');
  await alice.createGroup('lab', [bob]);
});
afterAll(() => world[Symbol.asyncDispose]());

/** Users with a group each, one more than are gone through. */
const CROWD = [
  `INSERT INTO mls_client (address, display_name, signature_key, created_at)
   SELECT 'u' || n || '@c.test', 'User ' || n, '', now() FROM generate_series(1, 20001) AS n`,
  `INSERT INTO federated_group (mls_group_id, address, epoch, state, instance, history, admins, changed_at)
   SELECT 'g' || n, 'g' || n || '@d.test', 0, 'active', 1, 0, '["a@d.test"]', now() FROM generate_series(1, 20001) AS n`,
  `INSERT INTO group_member (mls_group_id, address, host, leaf_index, updated_at, fresh)
   SELECT 'g' || n, 'u' || n || '@c.test', 'c.test', 0, now(), true FROM generate_series(1, 20001) AS n`,
];

describe('which, how many, in which order', () => {
  const ids = async (query: string) => {
    const { Resources, ...rest } = await scim.list(`/Users?${query}`);
    return [Resources.map(({ id }) => id), rest.totalResults, rest.startIndex, rest.itemsPerPage];
  };
  const order = async () => (await scim.list('/Users')).Resources.map(({ id }) => id);

  test('all are given unless count is given, and pages otherwise', async () => {
    const all = await order();
    expect(all.toSorted()).toEqual(['Anna@a.test', 'alice@a.test']);
    expect(await ids('')).toEqual([all, 2, 1, 2]);
    expect(await ids('startIndex=2')).toEqual([all.slice(1), 2, 2, 1]);
    for (const filter of ['', '&filter=active%20eq%20true']) {
      expect(await ids(`count=1${filter}`)).toEqual([all.slice(0, 1), 2, 1, 1]);
      expect(await ids(`count=1&startIndex=2${filter}`)).toEqual([all.slice(1), 2, 2, 1]);
      expect(await ids(`count=1&startIndex=3${filter}`)).toEqual([[], 2, 3, 0]);
      expect(await ids(`count=9&startIndex=99999999999999999999${filter}`)).toEqual([[], 2, 2_000_000_000, 0]);
      expect(await ids(`count=0${filter}`)).toEqual([[], 2, 1, 0]);
      expect(await ids(`count=-5${filter}`)).toEqual([[], 2, 1, 0]);
      expect(await ids(`count=99999999999999999999${filter}`)).toEqual([all, 2, 1, 2]);
      expect(await ids(`count=1&startIndex=0${filter}`)).toEqual([all.slice(0, 1), 2, 1, 1]);
      expect(await ids(`count=1&startIndex=-7${filter}`)).toEqual([all.slice(0, 1), 2, 1, 1]);
    }
  });

  test('sorted, without case where the attribute has none', async () => {
    expect((await ids('sortBy=userName'))[0]).toEqual(['alice@a.test', 'Anna@a.test']);
    expect((await ids('sortBy=USERNAME&sortOrder=descending'))[0]).toEqual(['Anna@a.test', 'alice@a.test']);
    expect((await ids('sortBy=id'))[0]).toEqual(['Anna@a.test', 'alice@a.test']);
    expect((await ids('sortBy=groups'))[0]).toEqual(['alice@a.test', 'Anna@a.test']);
    expect((await ids('sortBy=groups&sortOrder=descending&count=1'))[0]).toEqual(['Anna@a.test']);
  });

  test('more than is gone through is refused, not cut off; what an index finds is found among as many', async () => {
    await using crowd = await World.of('c.test');
    const asker = new ScimClient(() => crowd);
    for (const sql of CROWD) await crowd.server('c.test').query(sql);
    for (const path of ['/Users', '/Groups', '/Users?filter=displayName%20co%20%22u%22']) {
      expect((await asker.get(path, 'c.test')).body).toMatchObject({ status: '400', scimType: 'tooMany' });
    }
    for (const type of ['Users', 'Groups']) {
      expect(await asker.list(`/${type}?count=2`, 'c.test')).toMatchObject({ totalResults: 20_001, itemsPerPage: 2 });
    }
    for (const filter of ['id eq "u7@c.test"', 'userName eq "U7@c.test"', 'displayName eq "user 7"']) {
      expect(await asker.found('Users', filter, 'c.test')).toEqual(['u7@c.test']);
    }
    expect(await asker.found('Users', 'groups.value eq "g7@d.test"', 'c.test')).toEqual(['u7@c.test']);
    for (const filter of ['id eq "g7@d.test"', 'displayName eq "G7@d.test"', 'members.value eq "u7@c.test"']) {
      expect(await asker.found('Groups', filter, 'c.test')).toEqual(['g7@d.test']);
    }
  });
});

test('attributes and excludedAttributes say what is shown', async () => {
  const path = '/Groups/lab%40a.test';
  const keys = async (query: string) => Object.keys((await scim.get(`${path}?${query}`)).body);
  expect(await keys('attributes=displayName')).toEqual(['schemas', 'id', 'displayName']);
  expect(await keys('attributes=nonsense')).toEqual(['schemas', 'id']);
  expect(await keys('excludedAttributes=members,id')).toEqual(['schemas', 'id', 'displayName', FEDERATED, 'meta']);
  const lists = (await scim.list('/Groups?attributes=members.value&filter=members.value%20eq%20%22bob%40b.test%22'))
    .Resources;
  expect(lists[0]).toMatchObject({ id: 'lab@a.test', members: [{ value: 'alice@a.test' }, { value: 'bob@b.test' }] });
  const hidden = await scim.list('/Groups?excludedAttributes=members&filter=members.value%20ew%20%22b.test%22');
  expect(hidden.Resources.map(({ id, members }) => [id, members])).toEqual([['lab@a.test', undefined]]);
});

test('a search by POST is the same search', async () => {
  const body = {
    schemas: [SEARCH],
    filter: 'displayName sw "LAB"',
    attributes: ['displayName'],
    startIndex: 1,
    count: 10,
  };
  const { status, type, body: answer } = await scim.ask('a.test', 'POST', '/Groups/.search', body);
  expect([status, type]).toEqual([200, 'application/scim+json']);
  expect(answer).toMatchObject({ totalResults: 1, itemsPerPage: 1 });
  expect((answer as unknown as List).Resources).toEqual([
    { schemas: expect.any(Array) as unknown, id: 'lab@a.test', displayName: 'lab@a.test' },
  ]);
  const users = await scim.ask('a.test', 'POST', '/Users/.search', { schemas: [SEARCH], sortBy: 'userName', count: 1 });
  expect(users.body).toMatchObject({ totalResults: 2, Resources: [{ id: 'alice@a.test' }] });
  const wrong: [object | string, string][] = [
    [{ filter: 'id pr' }, 'invalidSyntax'],
    [{ schemas: [SEARCH], count: 'many' }, 'invalidSyntax'],
    ['{"schemas":', 'invalidSyntax'],
    [{ schemas: [SEARCH], filter: 'id' }, 'invalidFilter'],
  ];
  for (const [asked, scimType] of wrong) {
    const refused = await scim.ask('a.test', 'POST', '/Users/.search', asked);
    expect([refused.status, refused.type, refused.body['scimType']]).toEqual([400, 'application/scim+json', scimType]);
  }
});

describe('what is offered', () => {
  test('the configuration, the types and the schemas agree with what is answered', async () => {
    expect((await scim.get('/ServiceProviderConfig')).body).toMatchObject({
      patch: { supported: true },
      bulk: { supported: false },
      filter: { supported: true, maxResults: 20_000 },
      changePassword: { supported: false },
      sort: { supported: true },
      etag: { supported: true },
      authenticationSchemes: [{ type: 'oauthbearertoken' }],
    });
    const types = (await scim.list('/ResourceTypes')).Resources;
    expect(types).toMatchObject([
      { id: 'User', endpoint: '/Users', schemaExtensions: [{ required: false }] },
      { id: 'Group', endpoint: '/Groups', schemaExtensions: [{ schema: FEDERATED, required: true }] },
    ]);
    const schemas = (await scim.list('/Schemas')).Resources;
    for (const one of types) expect((await scim.get(`/ResourceTypes/${one.id}`)).body).toEqual(one);
    for (const one of schemas) expect((await scim.get(`/Schemas/${one.id}`)).body).toEqual(one);
    const described = (id: string) =>
      (schemas.find((one) => one.id === id)!['attributes'] as { name: string }[]).map(({ name }) => name).sort();
    const group = (await scim.get('/Groups/lab%40a.test')).body;
    expect(described(FEDERATED)).toEqual(Object.keys(group[FEDERATED] as object).sort());
    const common = ['schemas', 'id', 'meta', FEDERATED];
    const own = (resource: object) =>
      Object.keys(resource)
        .filter((name) => !common.includes(name))
        .sort();
    expect(described('urn:ietf:params:scim:schemas:core:2.0:Group')).toEqual(own(group));
    const user = (await scim.get('/Users/alice%40a.test')).body;
    expect(described('urn:ietf:params:scim:schemas:core:2.0:User')).toEqual(own(user));
    expect((await scim.get('/Schemas/urn:nonsense')).status).toBe(404);
    expect((await scim.get('/ResourceTypes/Device')).status).toBe(404);
    for (const path of ['/Schemas', '/ResourceTypes'])
      expect((await scim.get(`${path}?filter=id%20pr`)).status).toBe(403);
  });

  test.each<[Method, string, number]>([
    ['DELETE', '/Groups/lab%40a.test', 501],
    ['POST', '/Bulk', 501],
    ['POST', '/.search', 501],
    ['GET', '/Me', 501],
    ['GET', '', 501],
    ['POST', '/Schemas', 405],
    ['DELETE', '/ServiceProviderConfig', 405],
    ['PUT', '/Users', 405],
    ['PATCH', '/Groups', 405],
    ['POST', '/Users/alice%40a.test', 405],
  ])('%s %s is %i', async (method, path, status) => {
    const answer = await scim.ask('a.test', method, path, method === 'GET' || method === 'DELETE' ? undefined : {});
    expect([answer.status, answer.type]).toEqual([status, 'application/scim+json']);
    expect(answer.body).toMatchObject({ schemas: [ERROR], status: String(status) });
    const allowed = /^\/(Users|Groups)$/.test(path)
      ? 'GET, POST'
      : path.startsWith('/Users/')
        ? 'GET, PUT, PATCH, DELETE'
        : 'GET';
    expect(answer.headers['allow']).toBe(status === 405 ? allowed : undefined);
  });

  test.each<[Method, string]>([
    ['GET', '/Users'],
    ['GET', '/Groups/lab%40a.test'],
    ['GET', '/ServiceProviderConfig'],
    ['POST', '/Users/.search'],
    ['POST', '/Users'],
  ])('%s %s wants an API key', async (method, path) => {
    const answer = await scim.ask('a.test', method, path, method === 'GET' ? undefined : {}, {
      authorization: 'Bearer other',
    });
    expect([answer.status, answer.type, answer.body['status']]).toEqual([401, 'application/scim+json', '401']);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
  });
});

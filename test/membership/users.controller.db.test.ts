import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestServer } from '../support/server.js';
import { World } from '../support/world.js';

let world: World;
let server: TestServer;
beforeAll(async () => {
  world = await World.of('a.test');
  server = world.server('a.test');
});
afterAll(() => world[Symbol.asyncDispose]());

const user = (identifier: string) => `/users/${encodeURIComponent(`${identifier}@a.test`)}`;

test('a user is made known, read, renamed and forgotten', async () => {
  const made = await server.api('POST', '/users', { address: 'alice@a.test', displayName: 'Alice' });
  expect(made).toMatchObject({ status: 201, body: { address: 'alice@a.test', displayName: 'Alice' } });
  expect(await server.api('GET', user('alice'))).toMatchObject({ status: 200, body: made.body });
  const renamed = await server.api('PUT', user('alice'), { displayName: 'Alice B.' });
  expect(renamed).toMatchObject({ status: 200, body: { displayName: 'Alice B.' } });
  expect(await server.api('DELETE', user('alice'))).toMatchObject({ status: 204 });
  expect(await server.api('GET', user('alice'))).toMatchObject({ status: 404, body: { code: 'client.unknown' } });
  expect(await server.api('DELETE', user('alice'))).toMatchObject({ status: 404 });
});

test('PUT makes a user known as well', async () => {
  expect(await server.api('PUT', user('bob'), { displayName: 'Bob' })).toMatchObject({ status: 201 });
  expect(await server.api('PUT', user('bob'), { displayName: 'Bob' })).toMatchObject({ status: 200 });
});

test('a user who is known already is a conflict, unless it is the same request once more', async () => {
  const body = { address: 'carol@a.test', displayName: 'Carol' };
  const key = { 'idempotency-key': 'k-1' };
  const first = await server.api('POST', '/users', body, key);
  expect((await server.api('POST', '/users', body, key)).body).toEqual(first.body);
  expect(await server.api('POST', '/users', body)).toMatchObject({ status: 409, body: { code: 'client.exists' } });
});

test.each([
  [{ address: 'bob@b.test', displayName: 'Bob' }, 422, 'client.foreign'],
  [{ address: 'bob', displayName: 'Bob' }, 400, 'body.malformed'],
  [{ address: 'dave@a.test' }, 400, 'body.malformed'],
  [{ address: 'dave@a.test', displayName: '' }, 400, 'body.malformed'],
  [{ address: 'dave@a.test', displayName: 'Dave', admin: true }, 400, 'body.malformed'],
])('%j is refused', async (body, status, code) => {
  expect(await server.api('POST', '/users', body)).toMatchObject({ status, body: { code } });
});

test('users are listed by address, page by page', async () => {
  for (const name of ['x1', 'x2', 'x3']) await server.api('PUT', user(name), { displayName: name });
  const addresses = async (query: string) => {
    const { users, next } = (await server.api('GET', `/users?${query}`)).body as {
      users: { address: string }[];
      next: string | null;
    };
    return [users.map(({ address }) => address), next];
  };
  expect(await addresses('limit=2&after=w%40a.test')).toEqual([['x1@a.test', 'x2@a.test'], 'x2@a.test']);
  expect(await addresses('limit=2&after=x2%40a.test')).toEqual([['x3@a.test'], null]);
  expect(await server.api('GET', '/users?limit=0')).toMatchObject({ status: 400 });
});

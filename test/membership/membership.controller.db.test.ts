import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Config } from '../../src/platform/config.js';
import type { Person } from '../support/cast.js';
import { World } from '../support/world.js';

let world: World;
let [alice, bob, ben]: Person[] = [];
let lab: string;

beforeAll(async () => {
  world = await World.of('a.test', 'b.test');
  [alice, bob, ben] = await world.users('alice@a.test', 'bob@b.test', 'ben@b.test');
  lab = await alice.createGroup('lab', [bob]);
});
afterAll(() => world[Symbol.asyncDispose]());

const ask = (server: string, path: string, headers: Record<string, string> = {}) =>
  world.server(server).api('GET', path, undefined, headers);
/** The tag that a handler sets, which only the raw answer shows. */
const tagOf = async (server: string, path: string) => {
  const running = world.server(server);
  const http = running.get<HttpAdapterHost>(HttpAdapterHost).httpAdapter.getInstance<FastifyInstance>();
  const authorization = `Bearer ${running.get(Config).apiKey}`;
  return String((await http.inject({ url: `/api/v1${path}`, headers: { authorization } })).headers['etag']);
};
const group = (rest = '') => `/groups/${encodeURIComponent(lab)}${rest}`;

test('who is in the group, on every server, with the epoch', async () => {
  for (const server of ['a.test', 'b.test']) {
    expect(await ask(server, group('/members'))).toMatchObject({
      status: 200,
      body: {
        group: 'lab@a.test',
        epoch: 1,
        members: [
          { address: 'alice@a.test', admin: true },
          { address: 'bob@b.test', admin: false },
        ],
      },
    });
  }
});

test('is X in group G: a user of any server', async () => {
  const of = async (user: string) => (await ask('b.test', group(`/members/${encodeURIComponent(user)}`))).body;
  expect(await of('alice@a.test')).toEqual({ group: lab, user: 'alice@a.test', member: true, admin: true, epoch: 1 });
  expect(await of('bob@b.test')).toMatchObject({ member: true, admin: false });
  expect(await of('ben@b.test')).toMatchObject({ member: false });
  expect(await of('Bob@b.test')).toMatchObject({ member: false });
  expect(await of('nobody@nowhere.test')).toMatchObject({ member: false });
});

test('which groups has X', async () => {
  const of = async (server: string, user: string) =>
    (await ask(server, `/users/${encodeURIComponent(user)}/groups`)).body;
  expect(await of('a.test', 'bob@b.test')).toEqual({
    user: 'bob@b.test',
    groups: [{ group: lab, epoch: 1, admin: false }],
    next: null,
  });
  expect(await of('b.test', 'ben@b.test')).toEqual({ user: 'ben@b.test', groups: [], next: null });
});

test('who of this server is in the group', async () => {
  const of = async (server: string) => (await ask(server, group('/local-members'))).body;
  expect(await of('a.test')).toMatchObject({ members: [{ address: 'alice@a.test', admin: true }], next: null });
  expect(await of('b.test')).toEqual({
    group: lab,
    epoch: 1,
    members: [{ address: 'bob@b.test', admin: false }],
    next: null,
  });
});

test('several at once: which of these users are in the group, which of these groups has the user', async () => {
  const check = (path: string, body: object) => world.server('b.test').api('POST', path, body);
  const users = ['ben@b.test', 'alice@a.test', 'bob@b.test', 'bob@b.test'];
  expect(await check(group('/members/check'), { users })).toEqual({
    status: 200,
    body: {
      group: lab,
      epoch: 1,
      members: [
        { address: 'alice@a.test', admin: true },
        { address: 'bob@b.test', admin: false },
      ],
    },
  });
  expect(await check('/users/bob%40b.test/groups/check', { groups: ['other@a.test', lab] })).toEqual({
    status: 200,
    body: { user: 'bob@b.test', groups: [{ group: lab, epoch: 1, admin: false }] },
  });
  expect(await check(group('/members/check'), { users: [] })).toMatchObject({ status: 400 });
  expect(await check('/groups/other%40a.test/members/check', { users })).toMatchObject({ status: 404 });
});

test('an answer that has not changed is 304, and after a Commit it has', async () => {
  const paths = [
    group('/members'),
    group('/members/bob%40b.test'),
    group('/local-members'),
    '/users/bob%40b.test/groups',
  ];
  const tags: string[] = [];
  for (const path of paths) {
    tags.push(await tagOf('b.test', path));
    expect(await ask('b.test', path, { 'if-none-match': tags.at(-1)! })).toEqual({ status: 304, body: '' });
  }
  await alice!.add(lab, ben!);
  await world.settle();
  for (const [index, path] of paths.entries()) {
    const changed = await ask('b.test', path, { 'if-none-match': tags[index]! });
    expect(changed).toMatchObject({ status: 200 });
    expect(JSON.stringify(changed.body)).toContain('"epoch":2');
  }
});

test('pages go on after an address', async () => {
  const path = (query: string) => group(`/local-members?${query}`);
  const of = async (query: string) => (await ask('b.test', path(query))).body;
  expect(await of('limit=1')).toMatchObject({ members: [{ address: 'ben@b.test' }], next: 'ben@b.test' });
  expect(await of('limit=1&after=ben%40b.test')).toMatchObject({ members: [{ address: 'bob@b.test' }], next: null });
  expect((await ask('b.test', '/users/bob%40b.test/groups?after=lab%40a.test')).body).toMatchObject({ groups: [] });
  for (const query of ['limit=0', 'limit=10001', 'after=nobody', 'from=3']) {
    expect(await ask('b.test', path(query)), query).toMatchObject({ status: 400 });
  }
});

test('what is not followed is told as such', async () => {
  expect(await ask('a.test', '/groups/other%40a.test/members')).toMatchObject({
    status: 404,
    body: { code: 'group.not-found' },
  });
  expect(await ask('a.test', '/groups/nonsense/members')).toMatchObject({ status: 400 });
  const two = await alice!.createGroup('two', [bob!]);
  await alice!.remove(two, bob!);
  await world.settle();
  expect(await ask('b.test', `/groups/${encodeURIComponent(two)}/members/bob%40b.test`)).toMatchObject({
    status: 410,
    body: { code: 'group.left' },
  });
  expect((await ask('b.test', '/users/bob%40b.test/groups')).body).toMatchObject({ groups: [{ group: lab }] });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from '../support/cast.js';
import type { TestServer } from '../support/server.js';
import { World } from '../support/world.js';

let world: World;
let server: TestServer;
let [alice]: Person[] = [];
let lab: string;

beforeAll(async () => {
  world = await World.of('a.test');
  server = world.server('a.test');
  [alice] = await world.users('alice@a.test', 'al@a.test');
  lab = await alice.createGroup('lab');
});
afterAll(() => world[Symbol.asyncDispose]());

const resource = {
  id: 'file-1',
  type: 'file',
  name: 'data.tar',
  uri: 'https://files.test/webdav/data.tar',
  permissions: ['read'],
};
const wish = (change: object = {}) => ({ group: lab, sender: 'alice@a.test', resource, ...change });
const create = (change: object = {}, headers = {}) => server.api('POST', '/shares', wish(change), headers);

describe('a share', () => {
  test('is made with the sender as its owner, and shown with its state at every server', async () => {
    const { status, body } = await create();
    expect(status).toBe(201);
    expect(body).toMatchObject({
      group: lab,
      sender: 'alice@a.test',
      owner: 'alice@a.test',
      resource,
      expiration: null,
      state: 'open',
      reason: null,
      servers: [{ server: 'a.test', state: 'due', providerId: null, why: null }],
    });
    await world.settle();
    const { id } = body as { id: string };
    expect((await server.api('GET', `/shares/${id}`)).body).toMatchObject({ servers: [{ state: 'accepted' }] });
  });

  test('is made once under one Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'share-1' };
    const first = await create({}, key);
    expect(await create({}, key)).toEqual(first);
    const other = await create({ resource: { ...resource, name: 'other' } }, key);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency.reused' } });
  });

  test('is ended, which may be said twice', async () => {
    const { id } = (await create()).body as { id: string };
    await world.settle();
    const listed = async () => (await alice!.receives()).length;
    const before = await listed();
    for (let time = 0; time < 2; time++) {
      expect(await server.api('DELETE', `/shares/${id}`)).toMatchObject({ status: 204 });
    }
    expect(await server.api('GET', `/shares/${id}`)).toMatchObject({ body: { state: 'ended', reason: 'unshared' } });
    expect(await listed()).toBe(before - 1);
  });

  test('is listed by group and sender', async () => {
    const of = async (query: string) =>
      ((await server.api('GET', `/shares?${query}`)).body as { shares: { sender: string }[] }).shares;
    expect((await of(`group=${encodeURIComponent(lab)}`)).length).toBeGreaterThan(0);
    expect(await of('sender=al%40a.test')).toEqual([]);
    expect(await of('group=other%40a.test')).toEqual([]);
  });
});

test.each([
  [{ sender: 'bob@b.test' }, 422, 'share.sender-foreign'],
  [{ owner: 'bob@b.test' }, 422, 'share.sender-foreign'],
  [{ sender: 'al@a.test' }, 403, 'share.sender-not-member'],
  [{ group: 'other@a.test' }, 404, 'group.not-found'],
  [{ expiration: '2020-01-01T00:00:00Z' }, 400, 'share.expired'],
  [{ expiration: 'tomorrow' }, 400, 'body.malformed'],
  [{ group: 'lab' }, 400, 'body.malformed'],
  [{ resource: { ...resource, type: 'calendar' } }, 400, 'body.malformed'],
  [{ resource: { ...resource, uri: '../secret' } }, 400, 'body.malformed'],
  [{ resource: { ...resource, uri: 'http://files.test/data.tar' } }, 400, 'body.malformed'],
  [{ resource: { ...resource, permissions: [] } }, 400, 'body.malformed'],
  [{ resource: { ...resource, permissions: ['read', 'read'] } }, 400, 'body.malformed'],
  [{ resource: { ...resource, secret: 'x' } }, 400, 'body.malformed'],
])('%j is refused', async (change, status, code) => {
  expect(await create(change)).toMatchObject({ status, body: { code, status } });
});

test('what does not exist is not found, what is no id is malformed', async () => {
  const nothing = '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a23';
  expect(await server.api('GET', `/shares/${nothing}`)).toMatchObject({ status: 404, body: { code: 'share.unknown' } });
  expect(await server.api('DELETE', `/shares/${nothing}`)).toMatchObject({ status: 404 });
  expect(await server.api('GET', '/shares/1')).toMatchObject({ status: 400 });
});

describe('what a user received', () => {
  test('is shown without the secret, and opened with a token that no cache keeps', async () => {
    await create({ resource: { ...resource, name: 'mine.tar', size: 3 } });
    await world.settle();
    const { body } = await server.api('GET', '/received-shares?user=alice%40a.test');
    const share = (body as { shares: { id: string; name: string }[] }).shares.find(({ name }) => name === 'mine.tar')!;
    expect(share).toMatchObject({
      group: lab,
      server: 'a.test',
      type: 'file',
      protocol: {
        webdav: { uri: resource.uri, permissions: ['read'], requirements: ['must-exchange-token'], size: 3 },
      },
    });
    expect(JSON.stringify(body)).not.toMatch(/secret/i);
    const opened = await server.api('POST', `/received-shares/${share.id}/token`, { member: 'alice@a.test' });
    expect(opened).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 300, uri: resource.uri } });
    const unbound = await server.api('POST', `/received-shares/${share.id}/token`);
    expect(unbound).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    const stranger = await server.api('POST', `/received-shares/${share.id}/token`, { member: 'al@a.test' });
    expect(stranger).toMatchObject({ status: 403, body: { code: 'share.not-recipient' } });
    const malformed = await server.api('POST', `/received-shares/${share.id}/token`, { user: 'alice@a.test' });
    expect(malformed).toMatchObject({ status: 400 });
  });

  test('is asked for by users of this server', async () => {
    const foreign = await server.api('GET', '/received-shares?user=bob%40b.test');
    expect(foreign).toMatchObject({ status: 422, body: { code: 'client.foreign' } });
    expect(await server.api('GET', '/received-shares')).toMatchObject({ status: 400 });
  });
});

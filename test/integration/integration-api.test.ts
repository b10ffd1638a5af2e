import { describe, expect, test } from 'vitest';
import { Fault, type IntendedShare, LONGEST_BODY } from '../../src/integration/protocol-server.js';
import { Revocations } from '../../src/integration/revocations.js';
import { host } from '../../src/kernel/address.js';
import { NOW, now } from './issuer.js';
import { PAIRED, Sender, SHARE, world } from './sender.js';

const ID = SHARE.providerId;

test('I-020 a share is stored and answered 201 with JSON, and the same once more replaces it', async () => {
  const { sender, server, found } = world();
  const answer = await sender.send(server);
  expect([answer.status, answer.json, answer.headers['content-type']]).toEqual([
    201,
    { status: 'stored' },
    'application/json',
  ]);
  expect(await found()).toMatchObject({ domain: 'a.test', owner: 'alice@a.test', shareWith: 'lab@a.test' });
  expect((await sender.send(server, { body: { ...SHARE, shareWith: 'staff@a.test' } })).status).toBe(201);
  expect(await found()).toMatchObject({ shareWith: 'staff@a.test' });
});

test('I-027 a revoked share is gone, and what was never there is answered alike', async () => {
  const released: string[] = [];
  const release = ({ providerId }: IntendedShare) => Promise.resolve(void released.push(providerId));
  const { sender, server, found } = world({ release });
  await sender.send(server);
  const revoke = { action: '/revoke', body: { sender: 'anybody@a.test', providerId: ID } };
  expect(await sender.send(server, revoke)).toMatchObject({ status: 200, json: { status: 'revoked' } });
  expect([await found(), released]).toEqual([undefined, [ID]]);
  expect(await sender.send(server, revoke)).toMatchObject({ status: 200, json: { status: 'gone' } });
});

test('I-027 what is released with an error is revoked all the same, and told', async () => {
  const told: string[] = [];
  const release = () => Promise.reject(new Error('still busy'));
  const { sender, server, found } = world({ release, tell: ({ action, code }) => told.push(`${action} ${code}`) });
  await sender.send(server);
  expect((await sender.send(server, { action: '/revoke', body: { sender: 'x@a.test', providerId: ID } })).status).toBe(
    200,
  );
  expect([await found(), told]).toEqual([undefined, ['/shares ok', 'release internal', '/revoke ok']]);
});

test('I-027 a revocation that overtakes a slow provisioning takes effect after it', async () => {
  let done = () => {};
  const allocated = new Promise<undefined>((resolve) => (done = () => resolve(undefined)));
  const { sender, server, found } = world({ allocate: () => allocated });
  const provisioned = sender.send(server);
  await new Promise(setImmediate);
  const revoked = sender.send(server, { action: '/revoke', body: { sender: 'x@a.test', providerId: ID } });
  await new Promise(setImmediate);
  done();
  expect([(await provisioned).status, (await revoked).json, await found()]).toEqual([
    201,
    { status: 'revoked' },
    undefined,
  ]);
});

test('I-027 nothing that was signed before the revocation brings the share back', async () => {
  const { sender, server, found } = world();
  const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
  const before = sender.request({ at: at(-10) });
  expect((await server.integrate(before)).status).toBe(201);
  const revoke = { action: '/revoke', body: { sender: 'x@a.test', providerId: ID } };
  await sender.send(server, { ...revoke, at: at(-5) });
  const again = await server.integrate(before);
  expect([again.status, again.body, await found()]).toEqual([401, '{"error":"provision.revoked"}', undefined]);
  expect((await sender.send(server, { at: at(-5) })).status).toBe(201);
});

test('I-011 what was revoked is remembered while it matters, and so much of it', () => {
  const clock = { at: NOW };
  const revocations = new Revocations(() => clock.at);
  const domain = host('a.test');
  const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
  const note = (providerId: string, until = at(360)) => revocations.note(domain, providerId, { said: NOW, until });
  const held = (providerId: string) => revocations.overtook(domain, providerId, at(-1));
  note('0', at(1));
  clock.at = at(1);
  note('1');
  expect([held('0'), held('1'), revocations.overtook(host('b.test'), '1', at(-1))]).toEqual([false, true, false]);
  for (let n = 2; n <= 10_001; n++) note(String(n));
  expect([held('1'), held('2'), held('10001')]).toEqual([false, true, true]);
});

test('I-051 another paired server has records of its own, whatever it calls them', async () => {
  const other = new Sender('b.test');
  const { sender, server, found } = world({
    pairings: [...PAIRED, { domain: 'b.test', modes: ['provisioned'] }],
    read: (url) => (url.includes('a.test') ? sender : other).read(url),
  });
  await sender.send(server);
  const theirs = { ...SHARE, sender: 'eve@b.test', owner: 'eve@b.test' };
  expect((await other.send(server, { body: theirs })).status).toBe(201);
  const revoke = { action: '/revoke', body: { sender: 'eve@b.test', providerId: ID } };
  expect((await other.send(server, revoke)).json).toEqual({ status: 'revoked' });
  expect(await found()).toMatchObject({ owner: 'alice@a.test' });
});

test('I-028 who asks whether the API is there gets a JSON object', async () => {
  const { server } = world();
  for (const url of ['/ocm-ip', '/ocm-ip/']) {
    const answer = await server.integrate({ method: 'GET', url, headers: {}, body: new Uint8Array() });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { status: 'ok' }]);
  }
  expect([server.integrates('/ocm-ip/shares'), server.integrates('/ocm-ipx'), server.integrates('/')]).toEqual([
    true,
    false,
    false,
  ]);
});

describe('what is said of a share', () => {
  test.each(['sender', 'owner', 'shareWith', 'providerId', 'shareType', 'resourceType', 'protocol'])(
    'I-019 I-024 lacks %s: 400',
    async (field) => {
      const { sender, server, found } = world();
      const answer = await sender.send(server, { body: { ...SHARE, [field]: undefined } });
      expect([answer.status, answer.json['error'], await found()]).toEqual([400, 'body.malformed', undefined]);
      expect(JSON.stringify(answer.json['errors'])).toContain(field);
    },
  );

  test('I-019 has members that nobody knows: they are ignored', async () => {
    const { sender, server, found } = world();
    const body = { ...SHARE, later: { x: 1 }, protocol: { ...SHARE.protocol, ssh: { uri: 'x' } } };
    expect((await sender.send(server, { body })).status).toBe(201);
    expect(await found()).not.toHaveProperty('later');
  });

  test('I-024 names an owner of another server, whom no token could speak for: 400', async () => {
    const { sender, server } = world();
    expect((await sender.send(server, { body: { ...SHARE, owner: 'alice@b.test' } })).status).toBe(400);
  });

  test('holds a secret all the same: it is not kept', async () => {
    const { sender, server, found } = world();
    const webdav = { ...SHARE.protocol.webdav, sharedSecret: 'hush' };
    await sender.send(server, { body: { ...SHARE, protocol: { webdav, ssh: { deep: [{ sharedSecret: 'hush' }] } } } });
    expect(JSON.stringify(await found())).not.toMatch(/hush|sharedSecret/);
  });

  test('is longer than any share, of another media type, or for another place', async () => {
    const { sender, server } = world();
    expect((await sender.send(server, { body: ' '.repeat(LONGEST_BODY + 1) })).status).toBe(413);
    expect((await sender.send(server, { fields: { 'content-type': 'text/plain' } })).status).toBe(415);
    expect((await sender.send(server, { action: '/other' })).status).toBe(404);
    expect((await sender.send(server, { change: (head) => ({ ...head, method: 'PUT' }) })).status).toBe(405);
  });
});

describe('what is allocated', () => {
  const asked = { ...SHARE, protocol: { webdav: { permissions: ['read'] } } };

  test('I-020 is answered, and goes into the record, but for rights', async () => {
    const allocate = () => Promise.resolve({ webdav: { uri: 'k7/data.tar', permissions: ['read', 'write'] } });
    const { sender, server, found } = world({ allocate });
    expect((await sender.send(server, { body: asked })).json).toMatchObject({
      protocol: { webdav: { uri: 'k7/data.tar' } },
    });
    expect((await found())?.protocol.webdav).toEqual({ uri: 'k7/data.tar', permissions: ['read'] });
  });

  test('I-022 is answered without any secret', async () => {
    const allocate = () =>
      Promise.resolve({ webdav: { uri: 'x', sharedSecret: 'hush' }, ssh: [{ sharedSecret: 'hush' }] });
    const { sender, server } = world({ allocate });
    const { status, body } = await sender.send(server, { body: asked });
    expect([status, /hush|sharedSecret/.test(body)]).toEqual([201, false]);
  });

  test('I-024 is not there now: 503, and nothing is stored', async () => {
    const { sender, server, found } = world({ allocate: () => Promise.reject(new Fault('provision.not-now')) });
    expect(await sender.send(server)).toMatchObject({ status: 503, json: { error: 'provision.not-now' } });
    expect(await found()).toBeUndefined();
  });

  test('breaks: 500, and nothing of the error is said', async () => {
    const { sender, server, found } = world({ allocate: () => Promise.reject(new Error('disk /srv/x')) });
    expect(await sender.send(server)).toMatchObject({ status: 500, body: '{"error":"internal"}' });
    expect(await found()).toBeUndefined();
  });

  test('is no place, and neither is one asked for: 400', async () => {
    const { sender, server } = world();
    expect((await sender.send(server, { body: asked })).status).toBe(400);
  });
});

test('I-011 a pairing has its share of the memory, and what has expired makes room', async () => {
  const released: string[] = [];
  const { sender, server, found } = world({
    release: ({ providerId }) => Promise.resolve(void released.push(providerId)),
  });
  const share = (providerId: string, more = {}) => sender.send(server, { body: { ...SHARE, providerId, ...more } });
  await share('one');
  await share('two', { expiration: now });
  expect((await share('three')).status).toBe(201);
  expect(await found('two')).toBeUndefined();
  expect(await share('four')).toMatchObject({ status: 503, json: { error: 'provision.full' } });
  expect(released).toEqual(['four']);
  expect((await share('one')).status).toBe(201);
});

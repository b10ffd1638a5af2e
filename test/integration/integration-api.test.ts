import { describe, expect, test } from 'vitest';
import {
  Fault,
  type IntendedShare,
  LONGEST_BODY,
  MemoryRecords,
  type Pairing,
  ProtocolServer,
  type ProtocolServerOptions,
} from '../../src/integration/protocol-server.js';
import { host } from '../../src/kernel/address.js';
import type { RequestHead } from '../../src/ocm/message-signature.js';
import { pair } from '../ocm/signing.js';
import { NOW, now } from './issuer.js';
import { API, Sender, SHARE } from './sender.js';

const PAIRED: readonly Pairing[] = [{ domain: 'a.test', modes: ['provisioned'] }];
const ID = SHARE.providerId;

function world(more: Partial<ProtocolServerOptions> = {}) {
  const sender = new Sender();
  const records = new MemoryRecords(() => NOW, 2);
  const options = { pairings: PAIRED, read: sender.read, now: () => NOW, integrationApi: API, records, ...more };
  const found = (id = ID) => records.find(host('a.test'), id);
  return { sender, records, found, server: new ProtocolServer(options) };
}
const COMPONENTS = ['@method', '@target-uri', 'content-digest', 'content-length'];
const PARAMETERS = { created: now, keyid: 'a.test#http', tag: 'ocm' };

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

describe('the order of the checks', () => {
  test('I-013 the sender is read first, its domain behind the last @', async () => {
    const { sender, server } = world();
    const unsigned = { change: (head: RequestHead) => ({ ...head, fields: { 'content-type': 'application/json' } }) };
    for (const body of ['{', '[]', '{}', { ...SHARE, sender: 'nobody' }, { ...SHARE, sender: 7 }]) {
      expect(await sender.send(server, { body, ...unsigned })).toMatchObject({
        status: 400,
        json: { error: 'body.malformed' },
      });
    }
    const odd = { ...SHARE, sender: 'alice@b.test@a.test' };
    expect((await sender.send(server, { body: odd })).status).toBe(201);
    expect(await sender.send(server, { body: { ...SHARE, sender: 'alice@a.test@b.test' } })).toMatchObject({
      json: { error: 'provision.unpaired' },
    });
  });

  test.each<[string, readonly Pairing[]]>([
    ['nobody', []],
    ['another server', [{ domain: 'b.test', modes: ['provisioned'] }]],
    ['the sender for tokens alone', [{ domain: 'a.test', modes: ['self-contained', 'introspected'] }]],
  ])('I-014 who is paired with %s refuses with 401 before any key is fetched', async (_, pairings) => {
    const { sender, server, found } = world({ pairings });
    expect(await sender.send(server)).toMatchObject({ status: 401, json: { error: 'provision.unpaired' } });
    expect([sender.asked, await found()]).toEqual([[], undefined]);
  });

  const strangers = pair('a.test#http');
  test.each<[string, string, Parameters<Sender['request']>[0]]>([
    [
      'is not signed',
      'signature.missing',
      { change: (head) => ({ ...head, fields: { ...head.fields, signature: undefined } }) },
    ],
    ['is signed by another key of that name', 'signature.invalid', { by: strangers }],
    ['is signed by an unknown key', 'signature.key-unknown', { by: pair('a.test#other') }],
    ['is signed by another domain', 'signature.wrong-domain', { by: pair('b.test#http') }],
    ['has a key id without a domain', 'signature.wrong-domain', { by: pair('http') }],
    ['is too old', 'signature.stale', { at: new Date(NOW.getTime() - 301_000) }],
    ['is from the future', 'signature.future', { at: new Date(NOW.getTime() + 61_000) }],
    ['was signed for another URI', 'signature.invalid', { signedUri: 'https://elsewhere.test/ocm-ip/shares' }],
    [
      'has another digest',
      'signature.digest-mismatch',
      { change: (head) => ({ ...head, fields: { ...head.fields, 'content-digest': `sha-256=:${'A'.repeat(43)}=:` } }) },
    ],
    [
      'has two OCM signatures',
      'signature.ambiguous',
      {
        change: (head) => ({
          ...head,
          fields: {
            ...head.fields,
            'signature-input': `${String(head.fields['signature-input'])}, b=();tag="ocm"`,
            signature: `${String(head.fields['signature'])}, b=:AAAA:`,
          },
        }),
      },
    ],
  ])('I-015 what %s is refused with 401: %s', async (_, error, sent) => {
    const { sender, server, found } = world();
    expect(await sender.send(server, sent)).toMatchObject({ status: 401, json: { error } });
    expect(await found()).toBeUndefined();
  });

  test.each(COMPONENTS)('I-015 a signature that does not cover %s is refused', async (left) => {
    const { sender, server } = world();
    const components = COMPONENTS.filter((component) => component !== left);
    const answer = await sender.send(server, { change: sender.resigned(components, PARAMETERS) });
    expect(answer).toMatchObject({ status: 401, json: { error: 'signature.incomplete' } });
  });

  test('I-015 the profile of OCM core is enough: known by its tag, without date, under any label', async () => {
    const { sender, server } = world();
    expect((await sender.send(server, { change: sender.resigned(COMPONENTS, PARAMETERS) })).status).toBe(201);
    const untagged = sender.resigned(COMPONENTS, { created: now, keyid: 'a.test#http' }, 'ocm');
    expect((await sender.send(server, { change: untagged })).json).toEqual({ error: 'signature.missing' });
  });

  test('I-024 keys that cannot be read now are a reason to come again', async () => {
    const { sender, server } = world({ read: () => Promise.reject(new Error('down')) });
    const answer = await sender.send(server);
    expect([answer.status, answer.json, answer.headers['retry-after']]).toEqual([
      503,
      { error: 'signature.key-unavailable' },
      '10',
    ]);
  });
});

test('I-016 the URI that counts is the configured one, whatever Host and a proxy say', async () => {
  const { sender, server } = world({ mountedAt: '/internal/' });
  const forwarded = {
    host: '10.0.0.7',
    'x-forwarded-host': 'evil.test',
    'x-forwarded-proto': 'http',
    forwarded: 'host=evil.test',
  };
  const at = (signedUri: string) =>
    server.integrate({ ...sender.request({ fields: forwarded, signedUri }), url: '/internal/shares' });
  expect((await at('https://files.test/ocm-ip/shares')).status).toBe(201);
  for (const uri of [
    'https://evil.test/ocm-ip/shares',
    'http://evil.test/internal/shares',
    'https://10.0.0.7/internal/shares',
  ]) {
    expect(JSON.parse((await at(uri)).body)).toEqual({ error: 'signature.invalid' });
  }
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

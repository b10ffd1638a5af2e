import { describe, expect, test } from 'vitest';
import { type FormPost, isFault, type Pairing, ProtocolServer } from '../../src/integration/protocol-server.js';
import { CLAIMS, NOW, now } from './issuer.js';
import { API, Sender, SHARE } from './sender.js';

const END_POINT = 'https://a.test/ocm/introspect';
const SECRET = 'a secret+of/an=older&kind';
const refused = (code: string) => expect.objectContaining({ code });
const ACTIVE = { active: true, ...CLAIMS, client_id: undefined };

/** A server that asks `a.test`, which says what the test wants. */
function world(modes: Pairing['modes'] = ['introspected']) {
  const sender = new Sender();
  const clock = { at: NOW.getTime() };
  const said = { status: 200, body: ACTIVE as unknown };
  const asked: FormPost[] = [];
  const post = (form: FormPost) => {
    asked.push(form);
    return said.body instanceof Error ? Promise.reject(said.body) : Promise.resolve(said);
  };
  const server = new ProtocolServer({
    pairings: [{ domain: 'a.test', modes }],
    read: sender.read,
    now: () => new Date(clock.at),
    integrationApi: API,
    introspection: { endPoint: END_POINT, post },
  });
  return { sender, server, clock, said, asked, verify: (credential = SECRET) => server.verify(credential) };
}

test('a secret that the issuer vouches for opens its share, and stands in the body of the question alone', async () => {
  const { verify, asked } = world();
  expect(await verify()).toMatchObject({ from: 'introspection', issuer: 'a.test', owner: 'alice@a.test' });
  expect(asked[0]).toMatchObject({ url: END_POINT, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  expect(new URLSearchParams(Buffer.from(asked[0]!.body).toString()).get('token')).toBe(SECRET);
});

test('I-002 a record is named by client_id, and counts before an ocm_ip of the answer', async () => {
  const { sender, server, said, verify } = world(['introspected', 'provisioned']);
  await sender.send(server);
  said.body = { ...ACTIVE, client_id: SHARE.providerId };
  expect((await verify()).from).toBe('record');
  said.body = { ...ACTIVE, client_id: SHARE.providerId, sub: 'mallory' };
  await expect(verify('another')).rejects.toEqual(refused('access.owner'));
  said.body = { ...ACTIVE, client_id: 'not provisioned', ocm_ip: undefined };
  await expect(verify('a third')).rejects.toEqual(refused('access.no-share'));
});

test('I-002 tokens of a server that is paired for introspection alone are asked about', async () => {
  const { sender, said, asked, verify } = world();
  await sender.key('a.test#token');
  const token = await sender.token('a.test#token');
  expect((await verify(token)).from).toBe('introspection');
  said.body = { active: false };
  await expect(verify(await sender.token('a.test#token', { ...CLAIMS, jti: 'y' }))).rejects.toEqual(
    refused('access.inactive'),
  );
  expect([sender.asked, asked.length]).toEqual([[], 2]);
});

test('I-002 tokens of a server that is paired for both are verified, and no forged one is asked about', async () => {
  const { sender, asked, verify } = world(['introspected', 'self-contained']);
  await sender.key('a.test#token');
  expect((await verify(await sender.token('a.test#token'))).from).toBe('token');
  const forged = await (await new Sender().key('a.test#token')).token('a.test#token');
  await expect(verify(forged)).rejects.toEqual(refused('access.signature'));
  expect(asked).toEqual([]);
});

test('I-051 an issuer vouches for its own shares only', async () => {
  const { said, verify } = world();
  said.body = { ...ACTIVE, iss: 'https://b.test' };
  await expect(verify()).rejects.toEqual(refused('access.issuer'));
});

test.each(['iss', 'sub', 'aud', 'exp'])('I-048 an answer without %s is none', async (claim) => {
  const { said, verify } = world();
  said.body = { ...ACTIVE, [claim]: undefined };
  await expect(verify()).rejects.toEqual(refused('access.claims'));
});

test.each([
  ['500', { status: 500 }],
  ['401', { status: 401, body: { active: true } }],
  ['no JSON', { body: 'active' }],
  ['no verdict', { body: { ...ACTIVE, active: 'yes' } }],
])('an answer of %s is a reason to come again, and is not kept', async (_, change) => {
  const { said, verify } = world();
  const before = { ...said };
  Object.assign(said, change);
  await expect(verify()).rejects.toEqual(refused('access.introspection-unavailable'));
  Object.assign(said, before);
  expect((await verify()).from).toBe('introspection');
});

describe('I-045 an answer', () => {
  test('that says yes is believed for a minute, and by all who ask at the same time', async () => {
    const { verify, clock, asked } = world();
    await Promise.all([verify(), verify()]);
    clock.at += 59_999;
    await verify();
    expect(asked).toHaveLength(1);
    clock.at += 1;
    await verify();
    expect(asked).toHaveLength(2);
  });

  test('that says yes is not believed beyond its exp', async () => {
    const { verify, clock, said, asked } = world();
    said.body = { ...ACTIVE, exp: now + 10 };
    await verify();
    clock.at += 10_000;
    said.body = { active: false };
    await expect(verify()).rejects.toEqual(refused('access.inactive'));
    expect(asked).toHaveLength(2);
  });

  test('that says no is believed for five seconds', async () => {
    const { verify, clock, said, asked } = world();
    said.body = { active: false };
    await expect(verify()).rejects.toEqual(refused('access.inactive'));
    said.body = ACTIVE;
    clock.at += 4_999;
    await expect(verify()).rejects.toEqual(refused('access.inactive'));
    expect(asked).toHaveLength(1);
    clock.at += 1;
    expect((await verify()).from).toBe('introspection');
  });

  test('is one of a thousand that are kept', async () => {
    const { verify, asked } = world();
    for (let n = 0; n <= 1000; n++) await verify(`secret ${n}`);
    await verify('secret 1000');
    expect(asked).toHaveLength(1001);
    await verify('secret 0');
    expect(asked).toHaveLength(1002);
  });
});

test('I-056 a secret is neither kept nor told, even when the question itself breaks', async () => {
  const { server, said, verify } = world();
  await verify();
  expect(inspected(server)).not.toContain('older');
  said.body = new Error(`POST failed: token=${SECRET}`);
  const fault: unknown = await verify('a much older one').catch((error: unknown) => error);
  expect(isFault(fault, 'access.introspection-unavailable')).toBe(true);
  expect(JSON.stringify([fault, (fault as Error).cause ?? ''])).not.toContain('older');
});

/** Everything that hangs on the object, as text. */
function inspected(value: unknown, seen = new Set<unknown>()): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (seen.has(value)) return '';
  seen.add(value);
  const parts = value instanceof Map ? [...value].flat() : Object.values(value);
  return parts.map((part: unknown) => inspected(part, seen)).join(' ');
}

test.each(['http://a.test/x', 'https://a.test/x?token=', 'https://u@a.test/x', 'a.test'])(
  'an endpoint such as %s is not one',
  (endPoint) => {
    const introspection = { endPoint, post: () => Promise.reject(new Error('never')) };
    const pairings: Pairing[] = [{ domain: 'a.test', modes: ['introspected'] }];
    const options = { pairings, read: () => Promise.resolve({}), now: () => NOW, introspection };
    expect(() => new ProtocolServer(options)).toThrow('config.wrong');
  },
);

import { describe, expect, test } from 'vitest';
import { MemoryRecords, type Mode, type Pairing, ProtocolServer } from '../../src/integration/protocol-server.js';
import { CLAIMS, Issuer, NOW, now } from './issuer.js';
import { API, Sender, SHARE } from './sender.js';

const refused = (code: string) => expect.objectContaining({ code });
const { ocm_ip: _, ...BARE } = CLAIMS;
const OTHER = { ...CLAIMS.ocm_ip, protocol: { webdav: { uri: 'other', permissions: ['read', 'write'] } } };

/** A server on which `a.test` provisioned one share, under a clock that the test moves. */
async function world(modes: readonly Mode[] = ['provisioned'], share: object = {}) {
  const sender = await new Sender().key('a.test#token');
  const other = await new Issuer('https://b.test').key('b.test#token');
  const clock = { at: NOW };
  const pairings: Pairing[] = [
    { domain: 'a.test', modes },
    { domain: 'b.test', modes: ['provisioned', 'self-contained'] },
  ];
  const read = (url: string) => (url.startsWith('https://a.test') ? sender : other).read(url);
  const server = new ProtocolServer({ pairings, read, now: () => clock.at, integrationApi: API });
  expect((await sender.send(server, { body: { ...SHARE, ...share } })).status).toBe(201);
  const verify = async (claims: object, by: Issuer = sender) =>
    server.verify(await by.token(by === sender ? 'a.test#token' : 'b.test#token', claims));
  return { sender, other, server, verify, clock };
}

describe('with a record', () => {
  test('I-049 a token without ocm_ip opens what was provisioned', async () => {
    const { verify } = await world();
    const access = await verify(BARE);
    expect(access).toMatchObject({ from: 'record', owner: 'alice@a.test', audience: 'lab@a.test' });
    expect(access.share).toMatchObject({ name: 'data.tar', protocol: { webdav: { uri: 'data.tar' } } });
  });

  test.each([
    ['other rights', OTHER],
    ['nonsense', 'nonsense'],
    ['nothing of the form', { protocol: 7 }],
  ])('I-049 an ocm_ip of %s is ignored, whatever else the issuer is paired for', async (_, ocm_ip) => {
    const { verify } = await world(['provisioned', 'self-contained']);
    const access = await verify({ ...BARE, ocm_ip });
    expect([access.from, access.share.protocol.webdav?.uri]).toEqual(['record', 'data.tar']);
    expect(access.share.protocol.webdav?.permissions).toEqual(['read']);
  });

  test.each([
    ['another owner', 'access.owner', { sub: 'mallory' }],
    ['the owner in other letters', 'access.owner', { sub: 'Alice' }],
    ['an address for an owner', 'access.owner', { sub: 'alice@a.test' }],
    ['another audience', 'access.audience', { aud: 'staff@a.test' }],
    ['the audience in other letters', 'access.audience', { aud: 'Lab@a.test' }],
  ])('I-050 a token for %s does not open it', async (_, code, change) => {
    const { verify } = await world();
    await expect(verify({ ...BARE, ...change })).rejects.toEqual(refused(code));
  });

  test('I-050 hosts have one spelling, identifiers are left as they are', async () => {
    const sent = { sender: 'x@A.test', owner: 'Ali\u0301ce@x@A.Test:443', shareWith: 'Lab@C.Test' };
    const { verify } = await world(['provisioned'], { ...sent });
    const said = { iss: 'https://A.test:443/', sub: 'Ali\u0301ce@x', aud: ['Lab@c.tesT'] };
    expect(await verify({ ...BARE, ...said })).toMatchObject({ issuer: 'a.test', audience: 'Lab@c.test' });
    await expect(verify({ ...BARE, ...said, sub: 'Al\u00edce@x' })).rejects.toEqual(refused('access.owner'));
  });

  test('I-051 a token of another paired server does not find it, even with the same providerId', async () => {
    const { verify, other } = await world();
    await expect(verify({ ...BARE, iss: 'https://b.test' }, other)).rejects.toEqual(refused('access.no-share'));
    await expect(verify({ ...BARE, iss: 'https://a.test' }, other)).rejects.toEqual(refused('access.key'));
    const own = await verify({ ...BARE, iss: 'https://b.test', ocm_ip: OTHER }, other);
    expect([own.from, own.owner, own.share.protocol.webdav?.uri]).toEqual(['token', 'alice@b.test', 'other']);
  });

  test("another share's token does not open it", async () => {
    const { verify } = await world();
    await expect(verify({ ...BARE, client_id: 'another' })).rejects.toEqual(refused('access.no-share'));
  });

  test('I-027 it opens nothing from the moment it is revoked', async () => {
    const { verify, sender, server } = await world(['provisioned', 'self-contained']);
    await verify(BARE);
    await sender.send(server, { action: '/revoke', body: { sender: 'x@a.test', providerId: SHARE.providerId } });
    await expect(verify(BARE)).rejects.toEqual(refused('access.no-share'));
  });

  test('I-055 it opens nothing from its expiration on, and no ocm_ip takes its place', async () => {
    const { verify, clock } = await world(['provisioned', 'self-contained'], { expiration: now + 10 });
    expect((await verify(CLAIMS)).from).toBe('record');
    clock.at = new Date(NOW.getTime() + 10_000);
    await expect(verify(CLAIMS)).rejects.toEqual(refused('access.expired'));
  });
});

test('I-049 without a record an ocm_ip counts, if the issuer is paired for that', async () => {
  const both = await world(['provisioned', 'self-contained']);
  expect((await both.verify({ ...CLAIMS, client_id: 'b.test' })).from).toBe('token');
  const one = await world(['provisioned']);
  await expect(one.verify({ ...CLAIMS, client_id: 'b.test' })).rejects.toEqual(refused('access.mode'));
});

test('a record of an issuer that is not paired for provisioning any more does not count', async () => {
  const sender = await new Sender().key('a.test#token');
  const records = new MemoryRecords(() => NOW);
  const serverFor = (modes: readonly Mode[]) =>
    new ProtocolServer({
      pairings: [{ domain: 'a.test', modes }],
      read: sender.read,
      now: () => NOW,
      integrationApi: API,
      records,
    });
  await sender.send(serverFor(['provisioned']));
  const token = await sender.token('a.test#token', BARE);
  await expect(serverFor(['self-contained']).verify(token)).rejects.toEqual(refused('access.no-share'));
});

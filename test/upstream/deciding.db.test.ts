import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Person } from '../support/cast.js';
import { post } from '../shares/signed-post.js';
import { House } from './house.js';
import { PLATFORM_DOCUMENT } from './stand-in.js';

let house: House;
let [alice, bob]: Person[] = [];
let lab: string;
/** What b.test calls a share that it sent, and the secret that it gave for it; what a.test calls the one it sent to b.test. */
let sent: { providerId: string; secret: string };
let received: string;

beforeAll(async () => {
  house = await House.open();
  const { world } = house;
  [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  lab = await alice.createGroup('lab', [bob]);
  await bob.share(lab, 'of-bob.tar');
  await alice.share(lab, 'of-alice.tar');
  await world.settle();
  const notices = world.network
    .sent({ what: '/ocm/shares' })
    .map(({ request }) => JSON.parse(Buffer.from(request.body!).toString()) as Notice);
  const of = (sender: string) => notices.find((notice) => notice.sender === sender)!;
  const { providerId, protocol } = of('bob@b.test');
  sent = { providerId, secret: protocol.webdav.sharedSecret };
  received = of('alice@a.test').providerId;
});
afterAll(() => house[Symbol.asyncDispose]());
beforeEach(() => {
  house.platform.arrived.length = 0;
  house.platform.document = PLATFORM_DOCUMENT;
  house.world.clock.advanceSeconds(1);
});

interface Notice {
  readonly sender: string;
  readonly providerId: string;
  readonly protocol: { readonly webdav: { readonly sharedSecret: string } };
}

const OURS = 401;
const THEIRS = 201;
const said = (notificationType: string, providerId: string, change: object = {}) => ({
  notificationType,
  senderDomain: 'a.test',
  resourceType: 'file',
  notification: { file: { providerId } },
  ...change,
});
const told = async (body: object) => {
  const { status } = await house.json('POST', '/ocm/notifications', body);
  expect(house.platform.arrived.filter(({ url }) => url.endsWith('/notifications'))).toHaveLength(
    status === THEIRS ? 1 : 0,
  );
  return status;
};

test.each(['SHARE_ACCEPTED', 'SHARE_DECLINED', 'REQUEST_RESHARE'])(
  '%s of a share that we sent is ours',
  async (type) => {
    expect(await told(said(type, sent.providerId))).toBe(OURS);
    expect(await told(said(type, sent.providerId, { notification: { folder: { providerId: sent.providerId } } }))).toBe(
      OURS,
    );
  },
);

test.each(['SHARE_UNSHARED', 'SHARE_CHANGE_PERMISSION'])('%s of a share that we received is ours', async (type) => {
  expect(await told(said(type, received))).toBe(OURS);
});

test('the same id from another server is another share, and so is one that is with a user', async () => {
  expect(await told(said('SHARE_UNSHARED', received, { senderDomain: 'c.test' }))).toBe(THEIRS);
  house.platform.arrived.length = 0;
  expect(await told(said('SHARE_UNSHARED', received, { shareType: 'user' }))).toBe(THEIRS);
});

test('what is said of a share of ours and of one of theirs at once is ours, and so nobody hears of ours who should not', async () => {
  const both = { providerId: '42', notification: { folder: { providerId: sent.providerId } } };
  expect(await told(said('SHARE_ACCEPTED', '', both))).toBe(OURS);
  const other = { providerId: sent.providerId, notification: { folder: { providerId: '42' } } };
  expect(await told(said('SHARE_ACCEPTED', '', other))).toBe(OURS);
});

test('what is said of shares that nobody here knows is passed on', async () => {
  expect(await told(said('SHARE_ACCEPTED', '42'))).toBe(THEIRS);
});

test('a signed word about a federated share does what it says, as if nothing stood behind', async () => {
  const { status } = await post(house.world, {
    from: 'a.test',
    to: 'b.test',
    path: '/notifications',
    body: said('SHARE_UNSHARED', received),
  });
  expect(status).toBe(201);
  expect((await bob!.receives()).map(({ name }) => name)).not.toContain('of-alice.tar');
  expect(await told(said('SHARE_UNSHARED', received))).toBe(OURS);
});

test('a token is given for a secret of ours', async () => {
  expect(await alice!.open('of-bob.tar')).toMatchObject({ uri: 'https://b.test/webdav/of-bob.tar' });
  expect(house.platform.arrived.filter(({ method }) => method === 'POST')).toEqual([]);
});

const FORM = ['Content-Type', 'application/x-www-form-urlencoded'];
/** In the words of OAuth, since it is not signed. */
const OUR_REFUSAL = 400;
const asking = (...codes: string[]) =>
  `grant_type=authorization_code&client_id=a.test${codes.map((code) => `&code=${code}`).join('')}`;

test('a token request with any other secret goes to where the platform issues tokens, byte for byte', async () => {
  const { status } = await house.ask('POST', '/ocm/token', FORM, asking('theirs'));
  expect(status).toBe(201);
  expect(house.platform.last).toMatchObject({ method: 'POST', url: '/apps/token' });
  expect(house.platform.last.body.toString()).toBe(asking('theirs'));
});

test('a secret of ours never reaches the platform, beside whatever else it stands', async () => {
  expect((await house.ask('POST', '/ocm/token', FORM, asking(sent.secret))).status).toBe(OUR_REFUSAL);
  expect((await house.ask('POST', '/ocm/token', FORM, asking('theirs', sent.secret))).status).toBe(OUR_REFUSAL);
  const body = JSON.stringify({ code: sent.secret });
  expect((await house.ask('POST', '/ocm/token', ['Content-Type', 'application/json'], body)).status).toBe(OUR_REFUSAL);
  expect(house.platform.arrived.filter(({ method }) => method === 'POST')).toEqual([]);
});

test('a platform that calls itself by another host, and whose documents have moved, is asked at its own address all the same', async () => {
  const before = {
    ...PLATFORM_DOCUMENT,
    endPoint: 'https://files.b.test/remote.php/ocm/',
    tokenEndPoint: 'https://files.b.test/remote.php/token',
    jwksUri: 'https://files.b.test/index.php/.well-known/jwks.json',
    provider: 'moved',
  };
  const { platform } = house;
  platform.document = before;
  platform.base = '/index.php';
  platform.answer = ({ url }, response) => {
    const location = `https://files.b.test/index.php${url}`;
    if (url!.startsWith('/.well-known/')) response.writeHead(301, { location }).end();
    else response.writeHead(201).end('{}');
  };
  house.world.clock.advance(300_000);
  const after = async () => (await house.json('GET', '/.well-known/ocm')).body;
  await expect.poll(async () => (await after())['provider']).toBe('moved');
  expect(await after()).toMatchObject({
    endPoint: 'https://b.test/ocm',
    tokenEndPoint: 'https://b.test/ocm/token',
    jwksUri: 'https://b.test/ocm/jwks',
    inviteAcceptDialog: before.inviteAcceptDialog,
  });
  for (const shareType of ['user', 'group']) {
    expect((await house.json('POST', '/ocm/shares?x', { shareType })).status).toBe(THEIRS);
    expect(platform.last).toMatchObject({
      url: '/remote.php/ocm/shares?x',
      fields: expect.arrayContaining(['b.test']),
    });
  }
  expect((await house.json('POST', '/ocm/shares', { shareType: 'federation' })).status).toBe(OURS);
  expect((await house.ask('POST', '/ocm/token', FORM, asking('theirs'))).status).toBe(THEIRS);
  expect(platform.last.url).toBe('/remote.php/token');
  platform.base = '';
});

test('the platform that issues no tokens is asked for none', async () => {
  house.platform.document = { ...PLATFORM_DOCUMENT, tokenEndPoint: undefined };
  house.world.clock.advance(300_000);
  await expect
    .poll(async () => (await house.ask('POST', '/ocm/token', FORM, asking('theirs'))).status)
    .toBe(OUR_REFUSAL);
});

import * as jose from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseShareNotice } from '../../src/ocm/share-notice.js';
import { TestClock } from '../support/clock.js';
import { address, ShareHouse } from './share-house.js';
import { documentOf, RESOURCE } from './shared-resource.js';

const [ALICE, AL, BOB, BEN] = ['alice@a.test', 'al@a.test', 'bob@b.test', 'ben@b.test'];
let [a, b]: ShareHouse[] = [];

beforeEach(async () => {
  const [neighbours, clock] = [new Map<string, ShareHouse>(), new TestClock()];
  for (const name of ['a.test', 'b.test']) await ShareHouse.open(name, neighbours, clock);
  [a, b] = [...neighbours.values()];
  for (const house of [a!, b!]) await house.commit('lab@a.test', 1, ALICE, AL, BOB, BEN);
});
afterEach(async () => {
  for (const house of [a, b]) await house![Symbol.asyncDispose]();
});

const shared = async (change: Parameters<ShareHouse['share']>[0] = {}) => {
  const { shareId } = (await a!.share(change)).share;
  await a!.settle();
  const [share] = await b!.openings.visibleTo(address(BOB));
  return { shareId, id: share!.id };
};

test('a user of another server gets a token and where to show it, and never the secret', async () => {
  const { id } = await shared();
  const { accessToken, expiresIn, uri } = await b!.openings.open(id);
  expect([expiresIn, uri]).toEqual([300, RESOURCE.uri]);
  expect(jose.decodeJwt(accessToken)['ocm_group']).toMatchObject({ recipient: 'b.test', members: [BOB, BEN] });
});

test('a token for one member is bound to that member, who must be one now', async () => {
  const { id } = await shared();
  const { accessToken } = await b!.openings.open(id, address(BEN));
  expect(jose.decodeJwt(accessToken)['ocm_group']).toMatchObject({ member: BEN });
  for (const user of ['eve@b.test', ALICE]) {
    await expect(b!.openings.open(id, address(user))).rejects.toMatchObject({ code: 'share.not-recipient' });
  }
  for (const house of [a!, b!]) await house.commit('lab@a.test', 2, ALICE, BOB);
  await expect(b!.openings.open(id, address(BEN))).rejects.toMatchObject({ code: 'share.not-recipient' });
  expect((await b!.openings.open(id, address(BOB))).expiresIn).toBe(300);
});

test('a user who is removed is refused by the own server before anybody else is asked', async () => {
  const { id } = await shared();
  await b!.commit('lab@a.test', 2, ALICE);
  b!.documents.get = () => {
    throw new Error('nobody is to be asked');
  };
  await expect(b!.openings.open(id)).rejects.toMatchObject({ code: 'share.not-recipient' });
});

test('members on the sending server itself have the share too, with a token of the same kind', async () => {
  await shared({ resource: { ...RESOURCE, uri: 'run%201.tar' } });
  const [own, ...more] = await a!.openings.visibleTo(address(AL));
  expect(more).toEqual([]);
  const { accessToken, uri } = await a!.openings.open(own!.id, address(AL));
  expect(uri).toBe('https://a.test/webdav/run%201.tar');
  expect(jose.decodeJwt(accessToken)['ocm_group']).toMatchObject({ recipient: 'a.test', member: AL, members: [AL] });
});

test('when the share was taken back there is nothing to open', async () => {
  const { id, shareId } = await shared();
  await a!.sending.unshare(shareId);
  await expect(b!.openings.open(id)).rejects.toMatchObject({ code: 'share.token-refused' });
  await a!.settle();
  await expect(b!.openings.open(id)).rejects.toMatchObject({ code: 'share.unknown' });
});

test('an expired share opens nothing on either side', async () => {
  const { id } = await shared({ expiration: new Date(a!.clock.now().getTime() + 60_000) });
  expect((await b!.openings.open(id)).expiresIn).toBe(60);
  a!.clock.advanceSeconds(60);
  await expect(b!.openings.open(id)).rejects.toMatchObject({ code: 'share.unknown' });
  await a!.settle();
  expect(a!.letters).toEqual([]);
  expect((await a!.sending.list({}, 1))[0]!.share).toMatchObject({ state: 'ended', reason: 'expired' });
});

test('a relative URI lies at the host of the sender, under the prefix that it names', async () => {
  const document = documentOf('b.test');
  const relative = document.resourceTypes.map((type) => ({
    ...type,
    protocols: { webdav: '/files/', 'webdav-receive': { uri: 'relative' } },
  }));
  a!.documents.set('b.test', { ...document, resourceTypes: relative });
  b!.documents.set('a.test', { ...documentOf('a.test'), resourceTypes: relative });
  const { id } = await shared({ resource: { ...RESOURCE, uri: 'data.tar' } });
  expect((await b!.openings.open(id)).uri).toBe('https://a.test/files/data.tar');
});

test('a share that must be exchanged is never opened by its secret', async () => {
  const { id } = await shared();
  const { tokenEndPoint: _, ...document } = documentOf('a.test');
  b!.documents.set('a.test', document);
  await expect(b!.openings.open(id)).rejects.toMatchObject({ code: 'share.token-endpoint' });
});

test('a share of a server that issues no tokens is opened by its secret, but not for one member', async () => {
  a!.documents.set('b.test', { ...documentOf('b.test'), capabilities: [] });
  b!.documents.set('a.test', { ...documentOf('a.test'), capabilities: [] });
  const { id } = await shared();
  const { accessToken, expiresIn } = await b!.openings.open(id);
  expect(accessToken).toHaveLength(43);
  expect(expiresIn).toBeUndefined();
  await expect(b!.openings.open(id, address(BOB))).rejects.toMatchObject({ code: 'share.token-endpoint' });
});

test('neither secret nor token is logged, on either side, whether it works or not', async () => {
  const { shareId } = (await a!.share()).share;
  await a!.work();
  const { sharedSecret } = parseShareNotice(a!.letters[0]!.body).webdav;
  await a!.settle();
  const [share] = await b!.openings.visibleTo(address(BOB));
  const { accessToken } = await b!.openings.open(share!.id);
  await a!.sending.unshare(shareId);
  await expect(b!.openings.open(share!.id)).rejects.toThrow('share.token-refused');
  const logged = [...a!.logged, ...b!.logged].join('\n');
  expect(logged).toContain('token.issued');
  expect(logged).toContain('grant.revoked');
  for (const secret of [sharedSecret, accessToken]) expect(logged).not.toContain(secret);
});

test('only users of this server are asked for', async () => {
  await expect(b!.openings.visibleTo(address(ALICE))).rejects.toMatchObject({ code: 'client.foreign' });
  const nothing = '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a23';
  await expect(b!.openings.open(nothing)).rejects.toMatchObject({ code: 'share.unknown' });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { address, ShareHouse } from './share-house.js';
import { RESOURCE } from './shared-resource.js';

let house: ShareHouse;
beforeEach(async () => {
  house = await ShareHouse.open('a.test');
  await house.commit('lab@a.test', 3, 'alice@a.test', 'bob@b.test', 'ben@b.test', 'carol@c.test');
});
afterEach(() => house[Symbol.asyncDispose]());

const key = { caller: 'efss', key: 'k', fingerprint: 'f' };
const said = (notificationType: 'SHARE_ACCEPTED' | 'SHARE_DECLINED', from: string, providerId: string, more = {}) =>
  house.said.answered(host(from), {
    notificationType,
    senderDomain: host(from),
    resourceType: 'file',
    providerId,
    ...more,
  });
const statesOf = async (shareId: string) =>
  Object.fromEntries((await house.sending.get(shareId)).servers.map((row) => [row.server, row.state]));
const providerAt = async (shareId: string, server: string) => {
  const row = (await house.sending.get(shareId)).servers.find((found) => found.server === server)!;
  return 'providerId' in row ? row.providerId : '';
};

describe('sharing', () => {
  test('R-021 the servers to be told are those of the members in our own tree, each once, and nobody was contacted', async () => {
    const { share, servers } = await house.share();
    expect(share).toMatchObject({ state: 'open', group: 'lab@a.test', resource: RESOURCE });
    expect(servers.map(({ server, state }) => `${server} ${state}`)).toEqual([
      'a.test due',
      'b.test due',
      'c.test due',
    ]);
    expect(house.letters).toEqual([]);
  });

  test('R-021 only a member shares with a group', async () => {
    const mallory = address('mallory@a.test');
    await expect(house.share({ sender: mallory })).rejects.toMatchObject({ code: 'share.sender-not-member' });
  });

  test.each(['sender', 'owner'] as const)('the %s is a user of this server', async (role) => {
    await expect(house.share({ [role]: address('bob@b.test') })).rejects.toMatchObject({
      code: 'share.sender-foreign',
    });
  });

  test('a group that is not known, or was left, is no recipient', async () => {
    const all = address('all@a.test');
    await expect(house.share({ group: all })).rejects.toMatchObject({ code: 'group.not-found' });
    await house.commit('all@a.test', 1, 'bob@b.test');
    await expect(house.share({ group: all })).rejects.toMatchObject({ code: 'group.left' });
  });

  test('a share that has expired already is refused', async () => {
    await expect(house.share({ expiration: house.clock.now() })).rejects.toMatchObject({ code: 'share.expired' });
  });

  test('asked twice under one name it is made once', async () => {
    const sharing = { group: address('lab@a.test'), sender: address('alice@a.test'), owner: address('alice@a.test') };
    const first = await house.sharing.create({ ...sharing, resource: RESOURCE }, key);
    const again = await house.sharing.create({ ...sharing, resource: RESOURCE }, key);
    expect(again).toEqual(first);
    expect(await house.sending.list({}, 10)).toHaveLength(1);
  });

  test('shares are listed by group and sender, page by page', async () => {
    await house.commit('all@a.test', 1, 'alice@a.test', 'al@a.test');
    const ids: string[] = [];
    for (const group of ['lab@a.test', 'all@a.test', 'lab@a.test', 'lab@a.test']) {
      ids.push((await house.share({ group: address(group) })).share.shareId);
      house.clock.advance(1);
    }
    const al = await house.share({ group: address('all@a.test'), sender: address('al@a.test') });
    const found = async (filter: Parameters<typeof house.sending.list>[0], most = 10) =>
      (await house.sending.list(filter, most)).map(({ share }) => share.shareId);
    expect(await found({ group: address('lab@a.test') })).toEqual([ids[0], ids[2], ids[3]]);
    expect(await found({ sender: address('al@a.test') })).toEqual([al.share.shareId]);
    expect(await found({ group: address('lab@a.test'), after: ids[0]! }, 1)).toEqual([ids[2]]);
  });
});

describe('what a receiving server says', () => {
  test('is noted; who declines loses the secret', async () => {
    const { shareId } = (await house.share()).share;
    await house.work();
    await said('SHARE_ACCEPTED', 'b.test', await providerAt(shareId, 'b.test'));
    const declined = await providerAt(shareId, 'c.test');
    await said('SHARE_DECLINED', 'c.test', declined);
    expect(await statesOf(shareId)).toEqual({ 'a.test': 'accepted', 'b.test': 'accepted', 'c.test': 'declined' });
    const rows = await house.db.statement((tx) =>
      tx.query<unknown[]>('SELECT 1 FROM token_grant WHERE provider_id = $1 AND revoked_at IS NOT NULL', [declined]),
    );
    expect(rows).toHaveLength(1);
  });

  test('counts for its own share only', async () => {
    const { shareId } = (await house.share()).share;
    await house.work();
    const providerId = await providerAt(shareId, 'b.test');
    const unknown = { code: 'share.unknown' };
    await expect(said('SHARE_DECLINED', 'c.test', providerId)).rejects.toMatchObject(unknown);
    await expect(said('SHARE_DECLINED', 'b.test', 'made-up')).rejects.toMatchObject(unknown);
    await expect(said('SHARE_DECLINED', 'b.test', providerId, { resourceType: 'folder' })).rejects.toMatchObject(
      unknown,
    );
    expect(await statesOf(shareId)).toMatchObject({ 'b.test': 'announced' });
  });

  test('changes nothing once the share is over', async () => {
    const { shareId } = (await house.share()).share;
    await house.work();
    const providerId = await providerAt(shareId, 'b.test');
    await house.sending.unshare(shareId);
    await said('SHARE_ACCEPTED', 'b.test', providerId);
    expect(await statesOf(shareId)).toMatchObject({ 'b.test': 'ended' });
  });
});

describe('unsharing', () => {
  test('kills every secret at once, tells who was told, and may be said twice', async () => {
    const { shareId } = (await house.share()).share;
    await house.work();
    const [letter] = house.letters.splice(0);
    await house.sending.unshare(shareId);
    await house.sending.unshare(shareId);
    const living = await house.db.statement((tx) => tx.query('SELECT 1 FROM token_grant WHERE revoked_at IS NULL'));
    expect(living).toEqual([]);
    expect(house.letters.map(({ to, kind, lane }) => [to, kind, lane])).toEqual([
      ['b.test', 'SHARE_UNSHARED', letter!.lane],
      ['c.test', 'SHARE_UNSHARED', letter!.lane],
    ]);
    expect((await house.sending.get(shareId)).share).toMatchObject({ state: 'ended', reason: 'unshared' });
    expect(await house.visible('alice@a.test')).toEqual([]);
  });

  test('tells nobody who was not told of the share', async () => {
    const { shareId } = (await house.share()).share;
    await house.sending.unshare(shareId);
    await house.work();
    expect(house.letters).toEqual([]);
    expect(await statesOf(shareId)).toEqual({ 'a.test': 'ended', 'b.test': 'ended', 'c.test': 'ended' });
  });

  test('what does not exist is not found', async () => {
    const nothing = '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a23';
    await expect(house.sending.unshare(nothing)).rejects.toMatchObject({ code: 'share.unknown' });
    await expect(house.sending.get(nothing)).rejects.toMatchObject({ code: 'share.unknown' });
  });
});

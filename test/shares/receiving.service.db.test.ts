import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import type { ShareNotification } from '../../src/ocm/notification.js';
import type { ShareNotice } from '../../src/ocm/share-notice.js';
import { HELD_MS, MOST_HELD } from '../../src/shares/received-share.js';
import { address, ShareHouse } from './share-house.js';

let house: ShareHouse;
const A = host('a.test');

beforeEach(async () => {
  house = await ShareHouse.open('b.test');
});
afterEach(() => house[Symbol.asyncDispose]());

const notice = (change: Partial<ShareNotice> = {}): ShareNotice => ({
  shareWith: address('lab@a.test'),
  shareType: 'federation',
  resourceType: 'file',
  name: 'data.tar',
  providerId: 'p-1',
  owner: address('alice@a.test'),
  sender: address('alice@a.test'),
  webdav: {
    uri: 'data.tar',
    sharedSecret: 'tell-nobody',
    accessTypes: ['remote'],
    permissions: ['read'],
    requirements: ['must-exchange-token'],
  },
  ...change,
});
const receive = (change: Partial<ShareNotice> = {}, from = A) => house.receiving.receive(from, notice(change));
const unshare = (change: Partial<ShareNotification> = {}, from = A) =>
  house.receiving.unshared(from, {
    notificationType: 'SHARE_UNSHARED',
    senderDomain: from,
    resourceType: 'file',
    providerId: 'p-1',
    ...change,
  });
const group = (...members: string[]) => house.commit('lab@a.test', 3, 'alice@a.test', ...members);
const rows = () => house.db.statement((tx) => tx.query<object[]>('SELECT * FROM received_share'));
const refused = (code: string) => expect.objectContaining({ code });

describe('a share with a group of our users', () => {
  beforeEach(() => group('bob@b.test', 'ben@b.test'));

  test('R-207 is for every user of ours with a leaf, and for nobody else', async () => {
    expect(await receive()).toEqual({ recipientDisplayName: 'lab@a.test' });
    expect(await house.visible('bob@b.test')).toEqual(['data.tar']);
    expect(await house.visible('ben@b.test')).toEqual(['data.tar']);
    expect(await house.visible('eve@b.test')).toEqual([]);
  });

  test('R-208 is resolved anew after each Commit: who was removed sees nothing, who was added sees all', async () => {
    await receive();
    await house.commit('lab@a.test', 4, 'alice@a.test', 'ben@b.test', 'eve@b.test');
    expect(await house.visible('bob@b.test')).toEqual([]);
    expect(await house.visible('eve@b.test')).toEqual(['data.tar']);
    await house.commit('lab@a.test', 5, 'alice@a.test');
    expect(await house.visible('eve@b.test')).toEqual([]);
  });

  test('is gone with its sender, and nothing was sent for that', async () => {
    await receive();
    await house.commit('lab@a.test', 4, 'al@a.test', 'bob@b.test');
    expect(await house.visible('bob@b.test')).toEqual([]);
  });

  test('that comes twice is answered as the first time', async () => {
    const first = await receive();
    expect(await receive()).toEqual(first);
    expect(await rows()).toHaveLength(1);
    const both = await Promise.all([receive({ providerId: 'p-2' }), receive({ providerId: 'p-2' })]);
    expect(both).toEqual([first, first]);
    expect(await rows()).toHaveLength(2);
  });

  test('cannot be changed by announcing it once more', async () => {
    await receive();
    const { webdav } = notice();
    const changed = { webdav: { ...webdav, uri: 'https://evil.test/' } };
    await expect(receive(changed)).rejects.toEqual(refused('share.changed'));
    expect(JSON.stringify(await rows())).not.toContain('evil');
  });

  test('has one name per server: two servers may use the same', async () => {
    await house.commit('lab@a.test', 4, 'alice@a.test', 'carol@c.test', 'bob@b.test');
    await receive();
    const carol = address('carol@c.test');
    await receive({ sender: carol, owner: carol, name: 'other' }, host('c.test'));
    expect(await house.visible('bob@b.test')).toEqual(['data.tar', 'other']);
  });

  test('is not open any more once it has expired', async () => {
    const at = house.clock.now().getTime() / 1000;
    await expect(receive({ expiration: at })).rejects.toEqual(refused('share.expired'));
    await receive({ expiration: at + 60 });
    expect(await house.visible('bob@b.test')).toEqual(['data.tar']);
    house.clock.advanceSeconds(60);
    expect(await house.visible('bob@b.test')).toEqual([]);
    await house.work();
    expect(await rows()).toMatchObject([{ secret: null }]);
  });

  test('keeps its secret sealed', async () => {
    await receive();
    const [row] = (await rows()) as { secret: Buffer }[];
    expect(row!.secret.toString('latin1')).not.toContain('tell-nobody');
    expect(JSON.stringify(await house.openings.visibleTo(address('bob@b.test')))).not.toContain('tell-nobody');
  });
});

describe('a share is refused', () => {
  beforeEach(() => group('bob@b.test'));

  test('when the sender is a user of another server than the signer', async () => {
    await expect(receive({}, host('c.test'))).rejects.toEqual(refused('signature.wrong-domain'));
  });
  test('when it pretends to be of an owner elsewhere', async () => {
    await expect(receive({ owner: address('carol@c.test') })).rejects.toEqual(refused('share.owner-foreign'));
  });
  test('when its URI is none that a user should follow', async () => {
    const { webdav } = notice();
    const uri = 'file:///etc/passwd';
    await expect(receive({ webdav: { ...webdav, uri } })).rejects.toEqual(refused('body.malformed'));
  });
  test('when it is encrypted for single keys', async () => {
    const encryption = { scheme: 'ocm-pgp' as const, resourceId: 'r', fingerprints: ['0123456789abcdef'] };
    await expect(receive({ encryption })).rejects.toEqual(refused('share.encryption-unsupported'));
  });
  test('R-209 for now, when its sender is no member: the Commit that adds the sender may still be under way', async () => {
    const eve = { sender: address('eve@a.test'), owner: address('eve@a.test') };
    await expect(receive(eve)).rejects.toMatchObject({ code: 'share.sender-not-yet-member', retry: true, status: 503 });
    expect(await rows()).toEqual([]);
    await house.commit('lab@a.test', 4, 'alice@a.test', 'eve@a.test', 'bob@b.test');
    await receive(eve);
    expect(await house.visible('bob@b.test')).toEqual(['data.tar']);
  });
});

describe('a share that comes before its group', () => {
  test('R-209 R-210 is kept, and open as soon as the Welcome was taken', async () => {
    await receive();
    expect(await house.visible('bob@b.test')).toEqual([]);
    await group('bob@b.test');
    expect(await house.visible('bob@b.test')).toEqual(['data.tar']);
    await house.work();
    house.clock.advance(2 * HELD_MS);
    await house.work();
    expect(await house.visible('bob@b.test')).toEqual(['data.tar']);
  });

  test('is forgotten when no Welcome can bring its group any more', async () => {
    await receive();
    house.clock.advance(HELD_MS);
    await house.work();
    expect(await rows()).toEqual([]);
  });

  test('is of no use when its sender turns out to be no member', async () => {
    await receive();
    await house.commit('lab@a.test', 3, 'al@a.test', 'bob@b.test');
    await house.work();
    expect(await house.visible('bob@b.test')).toEqual([]);
    house.clock.advance(HELD_MS);
    await house.work();
    expect(await rows()).toEqual([]);
  });

  test('R-210 is refused for now when too many of one server wait, and others are not held up by that', async () => {
    await house.db.statement((tx) =>
      tx.query(
        `INSERT INTO received_share (id, from_host, provider_id, digest, group_address, sender, owner, resource, secret,
           received_at, held_until)
         SELECT gen_random_uuid(), 'a.test', 'n-' || n, '', 'x@a.test', 'y@a.test', 'y@a.test', '{}', '', $1, $2
         FROM generate_series(1, $3::integer) AS n`,
        [house.clock.now(), new Date(house.clock.now().getTime() + HELD_MS), MOST_HELD],
      ),
    );
    await expect(receive()).rejects.toMatchObject({ code: 'share.queue-full', retry: true, status: 503 });
    const carol = address('carol@c.test');
    await receive({ sender: carol, owner: carol }, host('c.test'));
    house.clock.advance(HELD_MS);
    await receive();
  });
});

describe('SHARE_UNSHARED', () => {
  beforeEach(async () => {
    await group('bob@b.test');
    await receive();
  });

  test('ends a share for good; a notice that comes late does not bring it back', async () => {
    await unshare();
    await unshare();
    expect(await house.visible('bob@b.test')).toEqual([]);
    expect(await rows()).toMatchObject([{ secret: null }]);
    await receive();
    expect(await house.visible('bob@b.test')).toEqual([]);
  });

  test('counts from the server of the sender only', async () => {
    await expect(unshare({}, host('c.test'))).rejects.toEqual(refused('share.unknown'));
    expect(await house.visible('bob@b.test')).toEqual(['data.tar']);
  });

  test('must mean the share that it names', async () => {
    await expect(unshare({ providerId: 'p-2' })).rejects.toEqual(refused('share.unknown'));
    await expect(unshare({ resourceType: 'folder' })).rejects.toEqual(refused('share.unknown'));
    await expect(unshare({ shareType: 'user' })).rejects.toEqual(refused('share.unknown'));
    expect(await house.visible('bob@b.test')).toEqual(['data.tar']);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../../src/kernel/fault.js';
import { parseShareNotice } from '../../src/ocm/share-notice.js';
import { address, ShareHouse } from './share-house.js';
import { documentOf, RESOURCE } from './shared-resource.js';

let house: ShareHouse;
beforeEach(async () => {
  house = await ShareHouse.open('a.test');
  await house.commit('lab@c.test', 3, 'alice@a.test', 'bob@b.test', 'ben@b.test', 'carol@c.test');
});
afterEach(() => house[Symbol.asyncDispose]());

const group = address('lab@c.test');
const notices = () => house.letters.filter(({ endpoint }) => endpoint === 'shares');
const bodyFor = (server: string) => parseShareNotice(notices().find(({ to }) => to === server)!.body);
const rowOf = async (shareId: string, server: string) =>
  (await house.sending.get(shareId)).servers.find((row) => row.server === server)!;

describe('a notice', () => {
  test('R-202 goes to each member server once, however many members it has, and to none twice', async () => {
    await house.share({ group });
    await house.work();
    await house.work();
    expect(
      notices()
        .map(({ to }) => to)
        .sort(),
    ).toEqual(['b.test', 'c.test']);
  });

  test('R-028 R-026 R-203 is an ordinary share with the group as its recipient, and without encryption', async () => {
    const expiration = new Date('2027-02-01T00:00:00Z');
    const resource = {
      ...RESOURCE,
      permissions: ['read' as const, 'write' as const],
      size: 5,
      description: 'all runs',
    };
    await house.share({ group, expiration, resource });
    await house.work();
    const { providerId, sharedSecret } = { ...bodyFor('b.test'), ...bodyFor('b.test').webdav };
    expect(notices().find(({ to }) => to === 'b.test')!.body).toEqual({
      shareWith: 'lab@c.test',
      shareType: 'federation',
      resourceType: 'file',
      name: 'data.tar',
      description: 'all runs',
      providerId,
      owner: 'alice@a.test',
      sender: 'alice@a.test',
      ownerDisplayName: 'alice',
      senderDisplayName: 'alice',
      expiration: expiration.getTime() / 1000,
      protocol: {
        name: 'multi',
        webdav: {
          uri: RESOURCE.uri,
          sharedSecret,
          permissions: ['read', 'write'],
          requirements: ['must-exchange-token'],
          size: 5,
        },
      },
    });
  });

  test('R-161 R-204 has a providerId and a secret of its own for each server and each share', async () => {
    await house.share({ group });
    await house.share({ group });
    await house.work();
    const bodies = notices().map(({ body }) => parseShareNotice(body));
    expect(bodies).toHaveLength(4);
    expect(new Set(bodies.map(({ providerId }) => providerId)).size).toBe(4);
    expect(new Set(bodies.map(({ webdav }) => webdav.sharedSecret)).size).toBe(4);
  });

  test('R-162 never has the id of the resource as its providerId, not even by chance', async () => {
    const twin = await ShareHouse.open('a.test');
    await twin.commit('lab@c.test', 3, 'alice@a.test', 'bob@b.test');
    await twin.share({ group });
    await twin.work();
    const drawn = twin.letters[0]!.subject;
    await twin[Symbol.asyncDispose]();
    // The dice of this house fall alike, so the same providerId would be drawn.
    await house.commit('lab@c.test', 4, 'alice@a.test', 'bob@b.test');
    await house.share({ group, resource: { ...RESOURCE, id: drawn } });
    await house.work();
    expect(bodyFor('b.test').providerId).not.toBe(drawn);
  });

  test('R-205 grants every server the same', async () => {
    await house.share({ group, resource: { ...RESOURCE, permissions: ['read', 'share'] } });
    await house.work();
    expect(bodyFor('b.test').webdav.permissions).toEqual(['read', 'share']);
    expect(bodyFor('c.test').webdav.permissions).toEqual(['read', 'share']);
  });

  test('R-213 goes straight to each server, the Group Owner Server has no part in it', async () => {
    await house.commit('lab@c.test', 4, 'carol@c.test', 'alice@a.test', 'bob@b.test');
    await house.share({ group });
    await house.work();
    for (const { to, subject, body } of notices()) {
      expect([to, parseShareNotice(body).providerId]).toEqual([to, subject]);
    }
    expect(notices().map(({ to }) => to)).toContain('b.test');
  });

  test('R-206 is judged for each member server by its own discovery document', async () => {
    house.documents.set('b.test', { ...documentOf('b.test'), capabilities: [] });
    house.documents.set('c.test', { ...documentOf('c.test'), criteria: ['must-exchange-token'] });
    await house.share({ group });
    await house.work();
    expect(bodyFor('b.test').webdav.requirements).toEqual([]);
    expect(bodyFor('c.test').webdav.requirements).toEqual(['must-exchange-token']);
  });

  test('does not name the secret anywhere but in itself', async () => {
    const { share } = await house.share({ group });
    await house.work();
    const secret = bodyFor('b.test').webdav.sharedSecret;
    const tables = ['share', 'share_server', 'received_share', 'token_grant'];
    const dump = await Promise.all(
      tables.map((table) => house.db.statement((tx) => tx.query(`SELECT * FROM ${table}`))),
    );
    expect(JSON.stringify(dump)).not.toContain(secret);
    expect(JSON.stringify(await house.sending.get(share.shareId))).not.toContain(secret);
  });
});

describe('a server', () => {
  test('that cannot use the share is set aside with the reason, and told once it can', async () => {
    const { resourceTypes, ...rest } = documentOf('b.test');
    const types = resourceTypes.map((type) => ({ ...type, shareTypes: ['user'] }));
    house.documents.set('b.test', { ...rest, resourceTypes: types });
    const { shareId } = (await house.share({ group })).share;
    await house.work();
    expect(await rowOf(shareId, 'b.test')).toMatchObject({ state: 'unsupported', why: 'federation' });
    expect(notices().map(({ to }) => to)).toEqual(['c.test']);
    house.documents.set('b.test', documentOf('b.test'));
    house.clock.advanceHours(1);
    await house.work();
    expect(await rowOf(shareId, 'b.test')).toMatchObject({ state: 'announced' });
  });

  test('that cannot be asked is asked again later, and holds nobody up', async () => {
    house.documents.set('b.test', new Fault('peer.unreachable'));
    const { shareId } = (await house.share({ group })).share;
    await house.work();
    expect(await rowOf(shareId, 'b.test')).toMatchObject({ state: 'due', why: 'peer.unreachable' });
    expect(await rowOf(shareId, 'c.test')).toMatchObject({ state: 'announced' });
    house.documents.delete('b.test');
    house.clock.advanceSeconds(30);
    await house.work();
    expect(await rowOf(shareId, 'b.test')).toMatchObject({ state: 'announced' });
  });

  test('that lost its last member while it was asked gets neither notice nor secret', async () => {
    const { shareId } = (await house.share({ group })).share;
    let removed = false;
    house.whileAsked = async (peer) => {
      if (peer !== 'b.test' || removed) return;
      removed = true;
      await house.commit('lab@c.test', 4, 'alice@a.test', 'carol@c.test');
    };
    while (await house.notices.turn());
    expect(removed).toBe(true);
    const grants = () => house.db.statement((tx) => tx.query(`SELECT 1 FROM token_grant WHERE recipient = 'b.test'`));
    expect(await grants()).toEqual([]);
    await house.work();
    expect(notices().map(({ to }) => to)).toEqual(['c.test']);
    expect(await rowOf(shareId, 'b.test')).toMatchObject({ state: 'ended' });
  });
});

describe('what became of a notice', () => {
  const answer = async (outcome: 'delivered' | 'refused' | 'dead', status?: number) => {
    const { shareId } = (await house.share({ group })).share;
    await house.work();
    const { subject, to } = notices().find((letter) => letter.to === 'b.test')!;
    house.answers.push({ letterId: 'l', subject, to, outcome, ...(status === undefined ? {} : { status }) });
    await house.work();
    const living = await house.db.statement((tx) =>
      tx.query<unknown[]>(`SELECT 1 FROM token_grant WHERE provider_id = $1 AND revoked_at IS NULL`, [subject]),
    );
    return { ...(await rowOf(shareId, 'b.test')), secretLives: living.length === 1 };
  };

  test('delivered is accepted', async () => {
    expect(await answer('delivered', 201)).toMatchObject({ state: 'accepted', secretLives: true });
  });
  test('refused is declined, and the secret dies', async () => {
    const found = await answer('refused', 403);
    expect(found).toMatchObject({ state: 'declined', why: 'refused with 403', secretLives: false });
  });
  test('dead can be seen, and may still be delivered', async () => {
    const found = await answer('dead');
    expect(found).toMatchObject({ state: 'announced', why: 'not delivered', secretLives: true });
  });
});
